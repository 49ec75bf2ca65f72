// The official Go SDK, worker and client, as the judge of a server: one line per scenario, exit
// code 0 if all are right.
//
//	parity-go --address HOST:PORT [--only NAME,NAME]
//	parity-go --address HOST:PORT --serve QUEUE --services NAME,NAME     a worker, until its input ends
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

const atOnce = 8

// Failures are what most scenarios are about: their log lines would only hide the verdicts.
var quiet = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

type verdict struct {
	saw   string
	right bool
}

func main() {
	address := flag.String("address", "", "HOST:PORT of the server to judge")
	only := flag.String("only", "", "names of scenarios, parted by commas; without it, all")
	queue := flag.String("serve", "", "a task queue to serve instead")
	services := flag.String("services", "", "Nexus services to serve there, parted by commas")
	flag.Parse()
	if *address == "" {
		fmt.Fprintln(os.Stderr, "parity-go: --address HOST:PORT is missing")
		os.Exit(2)
	}
	connection, err := client.Dial(client.Options{HostPort: *address, Logger: quiet})
	if err != nil {
		fmt.Fprintf(os.Stderr, "parity-go: cannot reach a server at %s: %v\n", *address, err)
		os.Exit(2)
	}
	defer connection.Close()
	if *queue != "" {
		serve(connection, *queue, strings.Split(*services, ","))
		return
	}
	if !judge(connection, chosen(*only)) {
		os.Exit(1)
	}
}

// chosen returns the scenarios to run, in order.
func chosen(only string) []scenario {
	all := slices.Concat(startScenarios, activityScenarios, optionScenarios, messageScenarios, serviceScenarios,
		lifecycleScenarios, extensionScenarios, nexusScenarios)
	if only == "" {
		return all
	}
	names := strings.Split(only, ",")
	return slices.DeleteFunc(all, func(s scenario) bool { return !slices.Contains(names, s.name) })
}

func judge(connection client.Client, scenarios []scenario) bool {
	runs := &register{}
	queue := "parity-go-" + uuid.NewString()
	newBench := func(name string) *bench {
		return &bench{Context: context.Background(), client: connection, name: name, queue: queue, runs: runs}
	}
	stop := newBench("worker").worker(queue)
	slots := make(chan struct{}, atOnce)
	verdicts := make([]chan verdict, len(scenarios))
	for i, s := range scenarios {
		verdicts[i] = make(chan verdict, 1)
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			saw, right := judged(newBench(s.name), s.play)
			verdicts[i] <- verdict{saw, right}
		}()
	}
	wrongs := 0
	report := func(name, saw string, right bool) {
		word := "ok   "
		if !right {
			word = "WRONG"
			wrongs++
		}
		fmt.Printf("%s %s: %s\n", word, name, saw)
	}
	for i, s := range scenarios {
		v := <-verdicts[i]
		report(s.name, v.saw, v.right)
	}
	stop()
	saw, right := judged(newBench("replay"), replay)
	report("replay", saw, right)
	fmt.Printf("%d right, %d wrong\n", len(scenarios)+1-wrongs, wrongs)
	return wrongs == 0
}
