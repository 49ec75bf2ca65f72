package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

const scenarioTime = 60 * time.Second

// wrong is what a scenario panics with when it saw what the protocol does not promise.
type wrong string

// bench is one scenario's view of the server. Only the register of runs is shared.
type bench struct {
	context.Context
	client client.Client
	name   string
	queue  string
	runs   *register
}

// register lists the runs that the scenarios started, for the replay at the end.
type register struct {
	sync.Mutex
	runs []run
}

type run struct{ id, runID string }

func (r *register) add(id, runID string) {
	r.Lock()
	defer r.Unlock()
	r.runs = append(r.runs, run{id, runID})
}

// drop leaves out a run that cannot be replayed.
func (r *register) drop(id string) {
	r.Lock()
	defer r.Unlock()
	r.runs = slices.DeleteFunc(r.runs, func(each run) bool { return each.id == id })
}

func (b *bench) newID() string { return b.name + "-" + uuid.NewString() }

func (b *bench) fail(format string, args ...any) { panic(wrong(fmt.Sprintf(format, args...))) }

func (b *bench) must(what string, err error) {
	if err != nil {
		b.fail("%s: %T: %v", what, err, err)
	}
}

func (b *bench) expect(what string, saw, wanted any) {
	if !reflect.DeepEqual(saw, wanted) {
		b.fail("%s: expected %v, saw %v", what, wanted, saw)
	}
}

// eventually is for what the server promises only after a while: visibility, the effects of a
// closed parent.
func (b *bench) eventually(what string, wanted any, read func() any) {
	saw := read()
	for end := time.Now().Add(20 * time.Second); !reflect.DeepEqual(saw, wanted) && time.Now().Before(end); saw = read() {
		time.Sleep(50 * time.Millisecond)
	}
	b.expect(what, saw, wanted)
}

// failsAs demands an error of a type, with a text in it.
func failsAs[T error](b *bench, what, text string, err error) T {
	var wanted T
	if !errors.As(err, &wanted) {
		b.fail("%s: expected %T, saw %T: %v", what, wanted, err, err)
	}
	if !strings.Contains(wanted.Error(), text) {
		b.fail("%s: expected %q in the message, saw %q", what, text, wanted.Error())
	}
	return wanted
}

func (b *bench) options() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: b.newID(), TaskQueue: b.queue, WorkflowExecutionErrorWhenAlreadyStarted: true}
}

func (b *bench) start(workflow any, args ...any) client.WorkflowRun {
	return b.startWith(b.options(), workflow, args...)
}

func (b *bench) startWith(options client.StartWorkflowOptions, workflow any, args ...any) client.WorkflowRun {
	run, err := b.client.ExecuteWorkflow(b, options, workflow, args...)
	b.must("start", err)
	b.runs.add(run.GetID(), run.GetRunID())
	return run
}

// result waits for a run and returns its result as T.
func result[T any](b *bench, run client.WorkflowRun) T {
	var value T
	b.must("result", run.Get(b, &value))
	return value
}

func (b *bench) signal(run client.WorkflowRun, name string, arg any) {
	b.must("signal "+name, b.client.SignalWorkflow(b, run.GetID(), "", name, arg))
}

func (b *bench) query(id, runID, name string, args ...any) string {
	value, err := b.client.QueryWorkflow(b, id, runID, name, args...)
	b.must("query "+name, err)
	var text string
	b.must("query "+name, value.Get(&text))
	return text
}

func (b *bench) status(id, runID string) string {
	description, err := b.client.DescribeWorkflowExecution(b, id, runID)
	b.must("describe", err)
	return description.WorkflowExecutionInfo.Status.String()
}

func (b *bench) history(id, runID string) []*historypb.HistoryEvent {
	var events []*historypb.HistoryEvent
	all := enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
	for pages := b.client.GetWorkflowHistory(b, id, runID, false, all); pages.HasNext(); {
		event, err := pages.Next()
		b.must("history", err)
		events = append(events, event)
	}
	return events
}

// events returns the types of a run's events whose names contain one of the words; of all without.
func (b *bench) events(id, runID string, words ...string) []string {
	names := []string{}
	for _, event := range b.history(id, runID) {
		name := event.EventType.String()
		if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) }) {
			names = append(names, name)
		}
	}
	return names
}

// worker runs the workflows and activities of all scenarios until the returned function is called.
func (b *bench) worker(queue string) func() {
	w := worker.New(b.client, queue, worker.Options{WorkerStopTimeout: 100 * time.Millisecond})
	registerAll(w)
	b.must("worker", w.Start())
	return w.Stop
}

type scenario struct {
	name string
	play func(*bench) string
}

// judged runs a scenario; its text is what it saw or what was wrong.
func judged(b *bench, play func(*bench) string) (saw string, right bool) {
	ctx, cancel := context.WithTimeout(b.Context, scenarioTime)
	defer cancel()
	b.Context = ctx
	defer func() {
		if failure, is := recover().(wrong); is {
			saw, right = string(failure), false
		}
	}()
	return play(b), true
}
