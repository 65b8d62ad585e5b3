package exit

import (
	"log"
	"os"

	"github.com/valyala/fasthttp"
)

func aside(srv *fasthttp.Server, sigs chan os.Signal) {
	<-sigs
	go srv.Shutdown()
	os.Exit(0) // want `stopexit: .*Shutdown runs in a goroutine`
}

func afterServe(srv *fasthttp.Server, sigs chan os.Signal) {
	go func() {
		<-sigs
		srv.Shutdown()
	}()
	srv.ListenAndServe(":8080")
	log.Fatal("stopped") // want `stopexit: .*Shutdown runs in a goroutine`
}

func deferred(srv *fasthttp.Server, sigs chan os.Signal) {
	defer srv.Shutdown()
	<-sigs
	os.Exit(0) // want `stopexit: .*the deferred Shutdown is never called`
}

func waited(srv *fasthttp.Server, sigs chan os.Signal) {
	done := make(chan struct{})
	go func() {
		srv.Shutdown()
		close(done)
	}()
	<-done
	os.Exit(0)
}

func straight(srv *fasthttp.Server, sigs chan os.Signal) {
	if err := srv.Shutdown(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}
