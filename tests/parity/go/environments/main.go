// The official Go SDK's dev server for tests, on our program in place of the official one: prints ok, or why not.
//
//	parity-go-environments PROGRAM FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	namespace = "environments"
	queue     = "environments"
	soon      = 30 * time.Second
)

var colour = temporal.NewSearchAttributeKeyKeyword("EnvironmentColour")

func greet(ctx workflow.Context, name string) (string, error) {
	err := workflow.Sleep(ctx, 10*time.Millisecond)
	return "Hello, " + name, err
}

// with starts a server on the file, does something with it, and stops it.
func with(options testsuite.DevServerOptions, do func(context.Context, client.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	server, err := testsuite.StartDevServer(ctx, options)
	if err != nil {
		return err
	}
	defer server.Client().Close()
	did := do(ctx, server.Client())
	return errors.Join(did, server.Stop())
}

func play(ctx context.Context, c client.Client) error {
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(greet)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "greeting", TaskQueue: queue,
		TypedSearchAttributes: temporal.NewSearchAttributes(colour.ValueSet("red"))}, greet, "Go")
	if err != nil {
		return err
	}
	return result(ctx, run)
}

func result(ctx context.Context, run client.WorkflowRun) error {
	var text string
	if err := run.Get(ctx, &text); err != nil {
		return err
	}
	if text != "Hello, Go" {
		return fmt.Errorf("the result is %q", text)
	}
	return nil
}

// find reads what the server of play left in its file.
func find(ctx context.Context, c client.Client) error {
	if err := result(ctx, c.GetWorkflow(ctx, "greeting", "")); err != nil {
		return err
	}
	counted, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: "EnvironmentColour = 'red'"})
	if err == nil && counted.Count != 1 {
		err = fmt.Errorf("%d runs are red", counted.Count)
	}
	return err
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: parity-go-environments PROGRAM FOLDER")
		os.Exit(2)
	}
	options := testsuite.DevServerOptions{
		ExistingPath:     os.Args[1],
		ClientOptions:    &client.Options{Namespace: namespace},
		DBFilename:       filepath.Join(os.Args[2], "environments.db"),
		LogFormat:        "json",
		LogLevel:         "error",
		SearchAttributes: temporal.NewSearchAttributes(colour.ValueSet("")),
		ExtraArgs:        []string{"--dynamic-config-value", "frontend.WorkflowPauseEnabled=true"},
		Stdout:           os.Stderr,
	}
	for _, do := range []func(context.Context, client.Client) error{play, find} {
		if err := with(options, do); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}
