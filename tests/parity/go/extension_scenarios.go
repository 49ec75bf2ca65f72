package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// What users put between themselves and the server: codecs and headers.
var extensionScenarios = []scenario{{"codec", codec}, {"headers", headers}, {"payloads", payloads}}

const (
	hiddenEncoding = "binary/parity"
	traceHeader    = "parity-trace"
)

// turningCodec turns every byte round; what it made is told by its encoding.
type turningCodec struct{}

func turned(data []byte) []byte {
	out := make([]byte, len(data))
	for i, b := range data {
		out[i] = ^b
	}
	return out
}

func (turningCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	hidden := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		data, err := payload.Marshal()
		if err != nil {
			return nil, err
		}
		hidden[i] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(hiddenEncoding)}, Data: turned(data)}
	}
	return hidden, nil
}

func (turningCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	plain := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if plain[i] = payload; string(payload.Metadata["encoding"]) == hiddenEncoding {
			plain[i] = &commonpb.Payload{}
			if err := plain[i].Unmarshal(turned(payload.Data)); err != nil {
				return nil, err
			}
		}
	}
	return plain, nil
}

// with returns the same bench with a client of other options.
func (b *bench) with(options client.Options) *bench {
	options.Logger = quiet
	other, err := client.NewClientFromExistingWithContext(b, b.client, options)
	b.must("client", err)
	changed := *b
	changed.client, changed.queue, changed.runs = other, b.newID(), &register{}
	return &changed
}

// Nothing that the user wrote is readable in what the server keeps.
func codec(plain *bench) string {
	hiding := converter.NewCodecDataConverter(dataConverter, turningCodec{})
	b := plain.with(client.Options{DataConverter: hiding, FailureConverter: temporal.NewDefaultFailureConverter(
		temporal.DefaultFailureConverterOptions{DataConverter: hiding, EncodeCommonAttributes: true})})
	defer b.worker(b.queue)()
	options := b.options()
	options.Memo, options.StaticSummary = map[string]any{"note": "secret"}, "secret"
	run := b.startWith(options, messages)
	b.signal(run, "add", "secret")
	b.expect("update", mustUpdate[string](b, run, "", "append_echo", "secret too"), "secret too")
	b.expect("query", b.query(run.GetID(), "", "text", "+"), "secret+secret too")
	b.signal(run, "end", nil)
	b.expect("result", result[[]string](b, run), []string{"secret", "secret too"})
	failing := b.start(fails, "secret")
	failure := failsAs[*temporal.WorkflowExecutionError](b, "failing", "secret", failing.Get(b, nil))
	b.expect("failure", describeFailure(failure.Unwrap()), fmt.Sprintf(brokenFailure, "secret"))
	for _, run := range []client.WorkflowRun{run, failing} {
		for _, event := range plain.history(run.GetID(), "") {
			for _, word := range []string{"secret", "the root"} {
				if strings.Contains(event.String(), word) {
					b.fail("%q is readable in %s", word, event)
				}
			}
		}
	}
	return "arguments, results, memo, summary, failures: read by the client, hidden in the history"
}

type traceKey struct{}

// tracing carries a trace from contexts to headers and back.
type tracing struct{}

func (tracing) Inject(ctx context.Context, writer workflow.HeaderWriter) error {
	return inject(ctx.Value(traceKey{}), writer)
}

func (tracing) InjectFromWorkflow(ctx workflow.Context, writer workflow.HeaderWriter) error {
	return inject(ctx.Value(traceKey{}), writer)
}

func (tracing) Extract(ctx context.Context, reader workflow.HeaderReader) (context.Context, error) {
	trace, err := extract(reader)
	return context.WithValue(ctx, traceKey{}, trace), err
}

func (tracing) ExtractToWorkflow(ctx workflow.Context, reader workflow.HeaderReader) (workflow.Context, error) {
	trace, err := extract(reader)
	return workflow.WithValue(ctx, traceKey{}, trace), err
}

func inject(trace any, writer workflow.HeaderWriter) error {
	if trace == nil {
		return nil
	}
	payload, err := dataConverter.ToPayload(trace)
	if err == nil {
		writer.Set(traceHeader, payload)
	}
	return err
}

func extract(reader workflow.HeaderReader) (trace string, err error) {
	if payload, is := reader.Get(traceHeader); is {
		err = dataConverter.FromPayload(payload, &trace)
	}
	return trace, err
}

func tracedActivity(ctx context.Context) (string, error) {
	trace, _ := ctx.Value(traceKey{}).(string)
	return "activity " + trace, nil
}

// traced calls what carries headers, and returns what arrived where.
func traced(ctx workflow.Context, other string, depth int) ([]string, error) {
	trace, _ := ctx.Value(traceKey{}).(string)
	heard := []string{fmt.Sprintf("%d %s", depth, trace)}
	if depth == 0 {
		return heard, nil
	}
	var near, far string
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: short})
	var child []string
	err := errors.Join(workflow.ExecuteActivity(activityOptions(ctx), tracedActivity).Get(ctx, &far),
		workflow.ExecuteLocalActivity(local, tracedActivity).Get(ctx, &near),
		workflow.ExecuteChildWorkflow(ctx, traced, other, 0).Get(ctx, &child),
		workflow.SignalExternalWorkflow(ctx, other, "", "end", nil).Get(ctx, nil))
	return append(append(heard, far, near), child...), err
}

func headers(plain *bench) string {
	b := plain.with(client.Options{ContextPropagators: []workflow.ContextPropagator{tracing{}}})
	b.Context = context.WithValue(b.Context, traceKey{}, "t")
	defer b.worker(b.queue)()
	options := b.options()
	other, err := b.client.SignalWithStartWorkflow(b, options.ID, "add", "begin", options, messages)
	b.must("signal with start", err)
	saw := result[[]string](b, b.start(traced, other.GetID(), 1))
	b.expect("heard", saw, []string{"1 t", "activity t", "activity t", "0 t"})
	b.expect("the other one", result[[]string](b, other), []string{"begin"})
	var signals []string
	for _, event := range b.history(other.GetID(), "") {
		if attributes := event.GetWorkflowExecutionSignaledEventAttributes(); attributes != nil {
			trace := string(attributes.Header.GetFields()[traceHeader].GetData())
			signals = append(signals, attributes.SignalName+" "+trace)
		}
	}
	b.expect("signals", signals, []string{`add "t"`, `end "t"`})
	return "a header went with starts, signals, activities and children"
}

// Payloads that are large, empty, or of bytes arrive as they were.
func payloads(b *bench) string {
	large := strings.Repeat("0123456789", 36_000)
	b.expect("large", result[string](b, b.start(echo, large)), large)
	b.expect("empty", result[string](b, b.start(echo, "")), "")
	b.expect("bytes", result[[]byte](b, b.start(echoBytes, []byte{0, 255, 10})), []byte{0, 255, 10})
	return "360 kB, empty, bytes"
}

func echoBytes(_ workflow.Context, value []byte) ([]byte, error) { return value, nil }
