// Command webui serves the official Web UI for any server, as the image temporalio/ui does.
//
//	webui ADDRESS PORT
package main

import (
	"log"
	"os"
	"strconv"

	"github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: webui ADDRESS PORT")
	}
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatalf("webui: the port: %v", err)
	}
	ui := server.NewServer(server_options.WithConfigProvider(&config.Config{
		TemporalGRPCAddress: os.Args[1],
		Host:                "127.0.0.1",
		Port:                port,
		EnableUI:            true,
		DefaultNamespace:    "default",
		DisableNewsFetch:    true,
		CORS:                config.CORS{CookieInsecure: true},
	}))
	defer ui.Stop()
	if err := ui.Start(); err != nil {
		log.Fatalf("webui: %v", err)
	}
}
