package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nexus-rpc/sdk-go/nexus"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/temporalnexus"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Operations of a Go workflow that a Go worker handles.
var nexusScenarios = []scenario{{"nexus", operations}}

const goDepot = "GoDepot"

// Parcel is what the services of other languages know, too.
type Parcel struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

func pack(_ context.Context, parcel Parcel, _ nexus.StartOperationOptions) (string, error) {
	if parcel.Count < 0 {
		return "", nexus.NewHandlerErrorf(nexus.HandlerErrorTypeBadRequest, "less than nothing")
	}
	if parcel.Count == 0 {
		return "", nexus.NewOperationFailedError("empty")
	}
	return fmt.Sprintf("Go packed %d %s", parcel.Count, parcel.Item), nil
}

// GoDelivery is behind the operation send.
func GoDelivery(ctx workflow.Context, where string) (string, error) {
	if where == "nowhere" {
		return "", temporal.NewNonRetryableApplicationError("no such place", "Address", nil)
	}
	if where == "far" {
		if err := workflow.Sleep(ctx, 24*time.Hour); err != nil {
			return "", err
		}
	}
	return "Go arrived at " + where, nil
}

func send(_ context.Context, _ string, options nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
	return client.StartWorkflowOptions{ID: "go-" + options.RequestID}, nil
}

// GoCaller calls a service at an endpoint, and tells what came of it.
func GoCaller(ctx workflow.Context, endpoint, service string) (string, error) {
	depot := workflow.NewNexusClient(endpoint, service)
	soon := workflow.NexusOperationOptions{ScheduleToCloseTimeout: 30 * time.Second}
	var seen []string
	tell := func(operation workflow.NexusOperationFuture) {
		var text string
		if err := operation.Get(ctx, &text); err != nil {
			text = toldOf(err)
		}
		seen = append(seen, text)
	}
	tell(depot.ExecuteOperation(ctx, "pack", Parcel{"tea", 2}, soon))
	sending := depot.ExecuteOperation(ctx, "send", "home", soon)
	var execution workflow.NexusOperationExecution
	if err := sending.GetNexusOperationExecution().Get(ctx, &execution); err != nil {
		return "", err
	}
	if execution.OperationToken == "" {
		seen = append(seen, "no token")
	}
	tell(sending)
	tell(depot.ExecuteOperation(ctx, "pack", Parcel{"tea", 0}, soon))
	tell(depot.ExecuteOperation(ctx, "pack", Parcel{"tea", -1}, soon))
	tell(depot.ExecuteOperation(ctx, "send", "nowhere", soon))
	within, cancel := workflow.WithCancel(ctx)
	far := depot.ExecuteOperation(within, "send", "far", soon)
	if err := far.GetNexusOperationExecution().Get(ctx, nil); err != nil {
		return "", err
	}
	cancel()
	tell(far)
	return strings.Join(seen, "; "), nil
}

func toldOf(err error) string {
	var refused *nexus.HandlerError
	var failed *temporal.ApplicationError
	var canceled *temporal.CanceledError
	switch {
	case errors.As(err, &refused):
		return "refused: " + refused.Message
	case errors.As(err, &failed):
		return failed.Type() + ": " + failed.Message()
	case errors.As(err, &canceled):
		return "cancelled"
	}
	return err.Error()
}

// registerServices serves the operations under these names of services.
func registerServices(w worker.NexusServiceRegistry, services ...string) {
	for _, name := range services {
		service := nexus.NewService(name)
		if err := service.Register(nexus.NewSyncOperation("pack", pack),
			temporalnexus.NewWorkflowRunOperation("send", GoDelivery, send)); err != nil {
			panic(err)
		}
		w.RegisterNexusService(service)
	}
}

// serve is a worker for callers and services of other languages, until its standard input ends.
func serve(connection client.Client, queue string, services []string) {
	w := worker.New(connection, queue, worker.Options{})
	w.RegisterWorkflow(GoDelivery)
	w.RegisterWorkflow(GoCaller)
	registerServices(w, services...)
	if err := w.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "parity-go:", err)
		os.Exit(1)
	}
	fmt.Println("serving")
	_, _ = io.Copy(io.Discard, os.Stdin)
	w.Stop()
}

func (b *bench) endpoint(queue string) string {
	name := strings.ReplaceAll(b.newID(), "_", "-")
	_, err := b.client.OperatorService().CreateNexusEndpoint(b, &operatorservice.CreateNexusEndpointRequest{
		Spec: &nexuspb.EndpointSpec{Name: name, Target: &nexuspb.EndpointTarget{
			Variant: &nexuspb.EndpointTarget_Worker_{
				Worker: &nexuspb.EndpointTarget_Worker{Namespace: "default", TaskQueue: queue}}}}})
	b.must("endpoint", err)
	return name
}

func operations(b *bench) string {
	endpoint := b.endpoint(b.queue)
	run := b.start(GoCaller, endpoint, goDepot)
	told := strings.Split(result[string](b, run), "; ")
	b.expect("results", told[:2], []string{"Go packed 2 tea", "Go arrived at home"})
	// Whether the message comes along differs from server to server.
	b.expect("failures", []bool{strings.Contains(told[2], "packed"),
		strings.HasPrefix(told[3], "refused: ")}, []bool{false, true})
	b.expect("ends", told[4:], []string{"Address: no such place", "cancelled"})
	b.expect("started", len(b.events(run.GetID(), "", "NEXUS_OPERATION_STARTED")), 3)
	b.expect("cancelled", len(b.events(run.GetID(), "", "NEXUS_OPERATION_CANCELED")), 1)
	return "results, tokens, failures of both kinds, a cancellation"
}
