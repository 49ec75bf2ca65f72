// The official Go SDK's replayer, as the judge of histories that C++ workers made: the same program
// in Go must replay them, and a changed one must not.
//
//	parity-go-replay FILE..
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func step(_ context.Context, what string) (string, error) { return what, nil }

// what a changed program asks for instead
type change struct {
	version    workflow.Version
	sideEffect bool
}

func forGo(c change) func(workflow.Context, int) (string, error) {
	return func(ctx workflow.Context, seed int) (string, error) {
		version := workflow.GetVersion(ctx, "change-a", workflow.DefaultVersion, c.version)
		seen := fmt.Sprint(version)
		side := func(value int) {
			if !c.sideEffect {
				return
			}
			var kept int
			must(workflow.SideEffect(ctx, func(workflow.Context) any { return value }).Get(&kept))
			seen += fmt.Sprint(" ", kept)
		}
		look := func(value int) {
			var kept int
			get := func(workflow.Context) any { return value }
			equal := func(a, b any) bool { return a == b }
			must(workflow.MutableSideEffect(ctx, "ms", get, equal).Get(&kept))
			seen += fmt.Sprint(" ", kept)
		}
		// What the functions make is wrong on purpose: history must win.
		side(seed + 100)
		look(seed + 100)
		look(seed + 200)
		look(seed + 300)
		options := workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second, ActivityID: "the-step"}
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), "step", seen).Get(ctx, nil); err != nil {
			return "", err
		}
		seen += fmt.Sprint(" ", workflow.GetVersion(ctx, "change-b", 1, 1))
		look(seed + 100)
		look(seed + 200)
		side(seed + 100)
		if expected := "2 42 42 42 43 1 43 44 45"; c.sideEffect && seen != expected {
			return "", fmt.Errorf("saw %s instead of %s", seen, expected)
		}
		return seen, nil
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Failures are what most verdicts are about: their log lines would only hide them.
var quiet = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

func replay(file string, c change) error {
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(forGo(c), workflow.RegisterOptions{Name: "ForGo"})
	return replayer.ReplayWorkflowHistoryFromJSONFile(quiet, file)
}

func main() {
	wrong := false
	verdict := func(file, name string, right bool, err error) {
		word := "ok   "
		if !right {
			word, wrong = "WRONG", true
		}
		fmt.Printf("%s %s, %s: %v\n", word, file, name, err)
	}
	for _, file := range os.Args[1:] {
		err := replay(file, change{2, true})
		verdict(file, "the same program", err == nil, err)
		err = replay(file, change{1, true})
		verdict(file, "a version dropped", err != nil && strings.Contains(err.Error(), "too old to support version 2"), err)
		err = replay(file, change{2, false})
		verdict(file, "no side effects", err != nil && strings.Contains(err.Error(), "TMPRL1100"), err)
	}
	if wrong || len(os.Args) < 2 {
		os.Exit(1)
	}
}
