package main

import (
	"text/template"
	"time"
)

var page = template.Must(template.New("picture").Funcs(template.FuncMap{
	"add":   func(a, b float64) float64 { return a + b },
	"round": func(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) },
	"px":    func(f float64) float64 { return float64(int(f*10)) / 10 },
}).Parse(svg))

// The colours are those of docs/stop.svg, for a light and a dark page.
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 370" width="860" height="370" role="img" aria-labelledby="title desc">
  <title id="title">Requests lost at {{.Rounds}} stops, and the connections of one drain</title>
  <desc id="desc">Lost requests at {{.Rounds}} stops: {{.Alt}}. Connections of one drain by state: all of them see the stop at once, the waiting ones leave at moments spread over the second half of the window, the running requests are answered, and after {{round .Took}} none is left.</desc>
  <style>
    text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .head { font-weight: 600; font-size: 15px; }
    .end { text-anchor: end; } .mid { text-anchor: middle; }
    .muted { fill: #59636e; }
    .card { fill: #ffffff; stroke: #d1d9e0; }
    .axis { stroke: #8c959f; fill: none; }
    .stop { stroke: #59636e; stroke-dasharray: 5 4; }
    .upstream { fill: #cf222e; } .patched { fill: #1a7f37; }
    .active { fill: #0969da; } .idle { fill: #80ccff; } .new { fill: #bf8700; }
    .seen { stroke: #1f2328; stroke-width: 1.5; fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .muted { fill: #9198a1; }
      .card { fill: #0d1117; stroke: #3d444d; }
      .axis { stroke: #7d8590; } .stop { stroke: #9198a1; }
      .upstream { fill: #ff7b72; } .patched { fill: #3fb950; }
      .active { fill: #4493f8; } .idle { fill: #10437a; } .new { fill: #d29922; }
      .seen { stroke: #e6edf3; }
    }
  </style>
  <rect class="card" x=".5" y=".5" width="859" height="369" rx="8"/>

  <text class="head" x="24" y="34">Requests lost at {{.Rounds}} stops</text>
  <rect class="upstream" x="24" y="46" width="12" height="12"/><text x="42" y="57">upstream</text>
  <rect class="patched" x="116" y="46" width="12" height="12"/><text x="134" y="57">fastdrain</text>
{{- range .Scenarios}}
  <text class="end" x="138" y="{{px .Y}}">{{.Name}}</text>
{{- end}}
{{- range .Bars}}
  <rect class="{{.Class}}" x="150" y="{{px .Y}}" width="{{px .Width}}" height="18"/>
  <text x="{{px (add .Width 157)}}" y="{{px (add .Y 14)}}">{{.Lost}}</text>
{{- end}}
  <text class="muted" x="24" y="346">bars: logarithmic</text>

  <text class="head" x="430" y="34">Open connections in one drain</text>
  <rect class="active" x="430" y="46" width="12" height="12"/><text x="448" y="57">active</text>
  <rect class="idle" x="506" y="46" width="12" height="12"/><text x="524" y="57">idle</text>
  <rect class="new" x="568" y="46" width="12" height="12"/><text x="586" y="57">new</text>
  <path class="seen" d="M630 52h18"/><text x="654" y="57">have seen the stop</text>
{{- range .Areas}}
  <path class="{{.Class}}" d="{{.Path}}"/>
{{- end}}
  <path class="seen" d="{{.StopSeen}}"/>
  <path class="axis" d="M450 {{.AreaTop}}V{{.AreaBottom}}H830"/>
  <path class="stop" d="M{{px .StopX}} {{.AreaTop}}V{{.AreaBottom}}M{{px .DoneX}} {{.AreaTop}}V{{.AreaBottom}}"/>
  <text class="mid" x="{{px .StopX}}" y="346">SIGTERM</text>
  <text class="mid" x="{{px .DoneX}}" y="346">all closed</text>
{{- range .Times}}
  <text class="mid muted" x="{{px .X}}" y="{{px .Y}}">{{.Text}}</text>
{{- end}}
{{- range .Counts}}
  <text class="end muted" x="{{px .X}}" y="{{px .Y}}">{{.Text}}</text>
{{- end}}
</svg>
`
