package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/fastdrain/fastdrain/internal/process"
)

// startLimit is how long a Prometheus may take until it is ready; some 1 s is
// usual.
const startLimit = 30 * time.Second

// HowToInstall says how to get what this package runs.
const HowToInstall = "prometheus and promtool are needed: make tools installs them where it can (apt-get install prometheus)"

// Config says what a Prometheus shall do.
type Config struct {
	// Dir is where its configuration, its log and its data go. It must exist.
	Dir string

	// Addr is where it listens; empty takes a free port of 127.0.0.1.
	Addr string

	// ScrapeInterval is the time between two scrapes of a target; rules are
	// evaluated as often.
	ScrapeInterval time.Duration

	// Targets are the addresses to scrape, by job.
	Targets map[string][]string

	// Rules are files of alert rules.
	Rules []string
}

// Prometheus is a running Prometheus.
type Prometheus struct {
	// URL is where it answers.
	URL string

	// API asks it.
	API v1.API

	// ConfigFile is its configuration.
	ConfigFile string

	*process.Running
	log string
}

var config = template.Must(template.New("prometheus.yml").Parse(`global:
  scrape_interval: {{.ScrapeInterval}}
  scrape_timeout: {{.ScrapeInterval}}
  evaluation_interval: {{.ScrapeInterval}}
{{- if .Rules}}
rule_files:
{{- range .Rules}}
  - {{printf "%q" .}}
{{- end}}
{{- end}}
scrape_configs:
{{- range $job, $targets := .Targets}}
  - job_name: {{printf "%q" $job}}
    static_configs:
      - targets: [{{range $i, $t := $targets}}{{if $i}}, {{end}}{{printf "%q" $t}}{{end}}]
{{- end}}
`))

// Start starts a Prometheus and returns when it is ready. The caller calls Stop.
func Start(ctx context.Context, c Config) (*Prometheus, error) {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, errors.New(HowToInstall)
	}
	for i, file := range c.Rules {
		if c.Rules[i], err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	var text bytes.Buffer
	if err := config.Execute(&text, c); err != nil {
		return nil, err
	}
	p := &Prometheus{
		ConfigFile: filepath.Join(c.Dir, "prometheus.yml"),
		log:        filepath.Join(c.Dir, "prometheus.log"),
	}
	if err := os.WriteFile(p.ConfigFile, text.Bytes(), 0o644); err != nil {
		return nil, err
	}
	if c.Addr == "" {
		if c.Addr, err = process.FreeAddr(); err != nil {
			return nil, err
		}
	}
	p.URL = "http://" + c.Addr
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own copy
	cmd := exec.Command(binary,
		"--config.file="+p.ConfigFile,
		"--storage.tsdb.path="+filepath.Join(c.Dir, "data"),
		"--web.listen-address="+c.Addr)
	cmd.Stdout, cmd.Stderr = log, log
	if p.Running, err = process.Run(cmd, nil); err != nil {
		return nil, fmt.Errorf("starting prometheus: %w", err)
	}
	client, err := api.NewClient(api.Config{Address: p.URL})
	if err == nil {
		p.API = v1.NewAPI(client)
		err = p.awaitReady(ctx)
	}
	if err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *Prometheus) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return poll(ctx, 20*time.Millisecond, "prometheus to be ready", func() (bool, error) {
		select {
		case <-p.Exited():
			return false, fmt.Errorf("prometheus has ended (%s): %s", p.Exit(), p.lastLog())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/-/ready", nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil // not listening yet
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

// lastLog is the end of its log.
func (p *Prometheus) lastLog() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// Stop ends the process and waits for its end. It may be called twice.
func (p *Prometheus) Stop() {
	_, _ = p.Running.Stop(20 * time.Second) // it may have ended
}

// poll calls done until it is true or fails, or ctx ends.
func poll(ctx context.Context, every time.Duration, what string, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
	}
}
