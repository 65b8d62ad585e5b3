package adopt

import "testing"

// apps are services on public modules that use fasthttp: each with the version
// of the module that it asks for.
var apps = map[string]string{
	"fiberv3":   "github.com/gofiber/fiber/v3@v3.1.0",
	"fiberv2":   "github.com/gofiber/fiber/v2@v2.52.9",
	"router":    "github.com/fasthttp/router@v1.5.4",
	"websocket": "github.com/fasthttp/websocket@v1.5.12",
}

func TestServiceLosesNothingWithTheCopy(t *testing.T) {
	for app, module := range apps {
		t.Run(app, func(t *testing.T) { script(t, "service.txtar", app, "MODULE="+module) })
	}
}

func TestVendorFolder(t *testing.T) { script(t, "vendorfolder.txtar", "router") }

func TestWorkspace(t *testing.T) { script(t, "workspace.txtar", "fiberv3") }

func TestReleaseFromAFileProxy(t *testing.T) { script(t, "release.txtar", "router") }

func TestDoctorKnowsWhatCannotDrain(t *testing.T) { script(t, "doctor.txtar", "") }

func TestMetricsBringNothingElse(t *testing.T) { script(t, "metrics.txtar", "") }

func TestCommandIsInstalledWithoutAClone(t *testing.T) { script(t, "install.txtar", "router") }

func TestReleaseFromGit(t *testing.T) { script(t, "git.txtar", "router") }
