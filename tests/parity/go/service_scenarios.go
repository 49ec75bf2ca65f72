package main

import (
	"errors"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// What the service tells of its runs: describe, lists, memo, history in long polls.
var serviceScenarios = []scenario{
	{"search_attributes_and_memo", searchAttributesAndMemo}, {"list_workflows", listWorkflows}, {"describe", describe},
	{"history_long_poll", historyLongPoll},
}

// addAttributes registers the custom attributes, and waits until the server knows them.
func addAttributes(b *bench) {
	attributes := map[string]enumspb.IndexedValueType{}
	for _, key := range []temporal.SearchAttributeKey{colour, size, weight, fresh, whenKey, tags, story} {
		attributes[key.GetName()] = key.GetValueType()
	}
	_, err := b.client.OperatorService().AddSearchAttributes(b,
		&operatorservice.AddSearchAttributesRequest{Namespace: "default", SearchAttributes: attributes})
	var exists *serviceerror.AlreadyExists
	if !errors.As(err, &exists) {
		b.must("add search attributes", err)
	}
	b.eventually("custom attributes", len(attributes), func() any {
		reply, err := b.client.OperatorService().ListSearchAttributes(b,
			&operatorservice.ListSearchAttributesRequest{Namespace: "default"})
		b.must("list search attributes", err)
		known := 0
		for name := range reply.CustomAttributes {
			if _, ours := attributes[name]; ours {
				known++
			}
		}
		return known
	})
}

func (b *bench) list(query string, pageSize int32) []string {
	ids := []string{}
	var token []byte
	for {
		page, err := b.client.ListWorkflow(b, &workflowservice.ListWorkflowExecutionsRequest{Query: query,
			PageSize: pageSize, NextPageToken: token})
		b.must("list", err)
		for _, run := range page.Executions {
			ids = append(ids, run.Execution.WorkflowId)
		}
		if token = page.NextPageToken; len(token) == 0 {
			slices.Sort(ids)
			return ids
		}
	}
}

func searchAttributesAndMemo(b *bench) string {
	addAttributes(b)
	value := b.newID()
	options := b.options()
	options.Memo = map[string]any{"kept": 1, "dropped": 2}
	run := b.startWith(options, tagged, value)
	b.expect("result", result[string](b, run), "painted")
	description, err := b.client.DescribeWorkflow(b, run.GetID(), "")
	b.must("describe", err)
	saw, _ := description.TypedSearchAttributes.GetKeyword(colour)
	b.expect("attribute", saw, value)
	memo := map[string]string{}
	for key, payload := range description.WorkflowExecutionMetadata.Memo.GetFields() {
		memo[key] = converter.GetDefaultDataConverter().ToString(payload)
	}
	b.expect("memo", memo, map[string]string{"kept": "1", "step": `"painted"`})
	query := fmt.Sprintf("%s = '%s' AND WorkflowType = 'tagged' AND ExecutionStatus = 'Completed'", colour.GetName(), value)
	b.eventually("list", []string{run.GetID()}, func() any { return b.list(query, 10) })
	count, err := b.client.CountWorkflow(b, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	b.must("count", err)
	b.expect("count", count.Count, int64(1))
	return "listed by its attribute, counted, memo merged"
}

func listWorkflows(b *bench) string {
	var ids []string
	for range 3 {
		run := b.start(echo, "x")
		result[string](b, run)
		ids = append(ids, run.GetID())
	}
	slices.Sort(ids)
	query := fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND TaskQueue = '%s'", b.name, b.queue)
	b.eventually("list", ids, func() any { return b.list(query, 1) })
	_, err := b.client.CountWorkflow(b, &workflowservice.CountWorkflowExecutionsRequest{Query: "NoSuchAttribute = 1"})
	failsAs[*serviceerror.InvalidArgument](b, "unknown attribute", "invalid query", err)
	return "three, in pages of one"
}

func describe(b *bench) string {
	options := b.options()
	options.StaticSummary = "waits for an answer"
	run := b.startWith(options, answeredLater)
	running := func() *client.WorkflowExecutionDescription {
		description, err := b.client.DescribeWorkflow(b, run.GetID(), "")
		b.must("describe", err)
		return description
	}
	b.eventually("pending activity", []string{"answerLater"}, func() any {
		names := []string{}
		raw, err := b.client.DescribeWorkflowExecution(b, run.GetID(), "")
		b.must("describe", err)
		for _, pending := range raw.PendingActivities {
			names = append(names, pending.ActivityType.Name)
		}
		return names
	})
	open := running()
	b.expect("running", []string{open.Status.String(), open.WorkflowType.Name, open.TaskQueueName, open.WorkflowExecution.RunID},
		[]string{"Running", "answeredLater", b.queue, run.GetRunID()})
	summary, err := open.GetStaticSummary()
	b.must("summary", err)
	b.expect("summary", summary, options.StaticSummary)
	b.must("complete", b.client.CompleteActivityByID(b, "default", run.GetID(), "", "later", "now", nil))
	result[string](b, run)
	closed := running()
	b.expect("closed", closed.Status.String(), "Completed")
	b.expect("history length", closed.HistoryLength, len(b.events(run.GetID(), "")))
	if closed.WorkflowCloseTime == nil || closed.WorkflowCloseTime.Before(closed.WorkflowStartTime) {
		b.fail("started %v, closed %v", closed.WorkflowStartTime, closed.WorkflowCloseTime)
	}
	return fmt.Sprintf("running with a pending activity, then closed after %d events", closed.HistoryLength)
}

// A reader that waits for new events sees each of them once, and the last one ends it.
func historyLongPoll(b *bench) string {
	run := b.start(messages)
	follow := func(filter enumspb.HistoryEventFilterType, begun func()) []string {
		seen := []string{}
		for pages := b.client.GetWorkflowHistory(b, run.GetID(), "", true, filter); pages.HasNext(); {
			event, err := pages.Next()
			if err != nil {
				return append(seen, err.Error())
			}
			if seen = append(seen, event.EventType.String()); len(seen) == 4 {
				begun()
			}
		}
		return seen
	}
	closing := make(chan []string, 1)
	go func() { closing <- follow(enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT, func() {}) }()
	ended := make(chan error, 1)
	seen := follow(enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT, func() {
		ended <- b.client.SignalWorkflow(b, run.GetID(), "", "end", nil)
	})
	if len(ended) == 0 {
		b.fail("the reader ended after %v", seen)
	}
	b.must("end", <-ended)
	b.expect("events", seen, b.events(run.GetID(), ""))
	b.expect("closing event", <-closing, []string{"WorkflowExecutionCompleted"})
	return fmt.Sprintf("%d events as they came, and the closing one alone", len(seen))
}
