package drainhandler

import (
	"html/template"
	"strings"
	"time"
)

// refresh is how often the page loads itself anew, in seconds.
const refresh = 2

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"refresh": func() int { return refresh },
	"clock":   func(t time.Time) string { return t.Format("15:04:05") },
	"words":   func(s string) string { return strings.ReplaceAll(s, "_", " ") },
}).Parse(pageText))

const pageText = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{{refresh}}">
<title>{{words .Phase}} - {{.Connections.Open}} open connections</title>
<style>
:root { color-scheme: light dark; --line: #8884; --mark: #d97706; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 46rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
p { margin: .25rem 0; }
.big { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); margin: 1rem 0; padding: 0; }
.big div { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .6rem; }
.big dt { font-size: .85rem; }
.big dd { font-size: 1.4rem; font-variant-numeric: tabular-nums; margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; padding: .3rem .5rem .3rem 0; text-align: left; }
th { font-size: .85rem; }
.n { text-align: right; }
.mark { border-left: .3rem solid var(--mark); padding-left: .5rem; }
footer { font-size: .85rem; margin: 2rem 0 1rem; }
</style>
</head>
<body>
{{- $waits := .Waits}}
<h1>{{if .Drain}}{{if $waits}}Draining: {{words .Phase}}{{else}}Drained: {{words .Drain.Verdict}}{{end}}{{else}}Serving{{end}}</h1>
{{- with .Drain}}
<p>{{if $waits}}For {{.Elapsed}}, since {{clock .Started}}; {{with .Left}}{{.}} left{{else}}without a time limit{{end}}.{{else}}In {{.Elapsed}}, begun at {{clock .Started}}.{{end}}</p>
{{- end}}
{{- with .Blind}}
<p class="mark"><strong>{{.}}</strong> {{if eq . 1}}connection has{{else}}connections have{{end}} not seen the stop: the drain waits for {{if eq . 1}}its handler{{else}}their handlers{{end}}.</p>
{{- end}}
<dl class="big">
{{- with .Connections}}
<div><dt>open</dt><dd>{{.Open}}</dd></div>
<div><dt>new</dt><dd>{{.New}}</dd></div>
<div><dt>active</dt><dd>{{.Active}}</dd></div>
<div><dt>idle</dt><dd>{{.Idle}}</dd></div>
<div><dt>stop seen</dt><dd>{{.StopSeen}}</dd></div>
<div><dt>hijacked</dt><dd>{{.Hijacked}}</dd></div>
<div><dt>oldest idle</dt><dd>{{.OldestIdle}}</dd></div>
{{- end}}
</dl>
<h2>{{if $waits}}What the drain waits for{{else}}Open connections{{end}}</h2>
{{- if .Open}}
<table>
<thead><tr><th>remote address</th><th>state</th><th class="n">open for</th>{{if .Drain}}<th>stop</th>{{end}}</tr></thead>
<tbody>
{{- $drain := .Drain}}
{{- range .Open}}
<tr><td{{if and $waits (not .StopSeen)}} class="mark"{{end}}>{{.RemoteAddr}}</td><td>{{.State}}</td><td class="n">{{.Age}}</td>{{if $drain}}<td>{{if .StopSeen}}seen{{else}}not seen{{end}}</td>{{end}}</tr>
{{- end}}
</tbody>
</table>
{{- with .More}}
<p>And {{.}} more.</p>
{{- end}}
{{- else}}
<p>None.</p>
{{- end}}
{{- if .Holders}}
<h2>What runs</h2>
<table>
<thead><tr><th>function</th><th>waits in</th><th class="n">goroutines</th></tr></thead>
<tbody>
{{- range .Holders}}
<tr><td title="{{.File}}:{{.Line}}">{{.Function}}</td><td>{{.Waits}}</td><td class="n">{{.Goroutines}}</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
{{- with .Drain}}
<h2>Account</h2>
<table>
<tbody>
<tr><td>open at the stop</td><td class="n">{{.OpenAtStop}}</td></tr>
<tr><td>accepted since</td><td class="n">{{.Accepted}}</td></tr>
{{- range .Outcomes}}
<tr><td>{{words .Name}}</td><td class="n">{{.Connections}}</td></tr>
{{- end}}
<tr><td>requests served in a final read</td><td class="n">{{.FinalReadServed}}</td></tr>
<tr><td>requests rejected in a final read</td><td class="n">{{.FinalReadRejected}}</td></tr>
<tr><td>connections late</td><td class="n">{{.Late}}</td></tr>
<tr><td>connections closed before all was acknowledged</td><td class="n">{{.Undelivered}}</td></tr>
<tr><td>hijack handlers that have returned</td><td class="n">{{.HijackedReturned}}</td></tr>
<tr><td>hijack handlers that run</td><td class="n">{{.HijackedLeft}}</td></tr>
{{- range .Listeners}}
<tr><td>accept queue of {{.Address}} ({{.Strategy}}{{if .MayHaveReset}}: connections may have been reset{{with .Why}}, as {{.}}{{end}}{{end}})</td><td class="n">{{.Accepted}}</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
<footer>{{clock .Time}}, every {{refresh}} s anew. <a href="?format=json">JSON</a></footer>
</body>
</html>
`
