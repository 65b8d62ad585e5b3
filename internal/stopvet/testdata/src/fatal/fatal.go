package fatal

import (
	"log"

	"github.com/valyala/fasthttp"
)

func direct(srv *fasthttp.Server) {
	log.Fatal(srv.ListenAndServe(":8080")) // want `servefatal: .*Serve returns nil after a stop`
}

func inGoroutine(srv *fasthttp.Server) {
	go func() {
		log.Fatalf("serve: %v", srv.ListenAndServe(":8080")) // want `servefatal: .*Serve returns nil after a stop`
	}()
}

func next() {
	err := fasthttp.ListenAndServe(":8080", nil)
	log.Fatal(err) // want `servefatal: .*Serve returns nil after a stop`
}

func looked(srv *fasthttp.Server) {
	if err := srv.ListenAndServe(":8080"); err != nil {
		log.Fatal(err)
	}
}
