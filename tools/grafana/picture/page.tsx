// The page: the dashboard's grid with its rows and panels.
import { ThemeContext } from '@grafana/data';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { theme } from './frames';
import { Body, type Mark } from './panels';
import type { Dashboard, Recording } from './recording';

const cell = 30;
const gap = 8;
const { dashboard, recording } = window;
const width = document.documentElement.clientWidth - 2 * gap;

const times = recording.Answers.flatMap((a) => a.series.flatMap((s) => s.values.map(([t]) => t)));
const step = times.length > 0 ? recordedStep(recording) : 1000;

/** The time between two points of the answers. */
function recordedStep(r: Recording): number {
  const all = r.Answers.flatMap((a) => a.series.map((s) => s.values)).filter((v) => v.length > 10);
  return Math.min(...all.flatMap((v) => v.slice(1).map(([t], i) => Math.round((t - v[i][0]) * 1000))));
}

/** The annotations: stretches of time where points follow each other. */
function marks(d: Dashboard, r: Recording): Mark[] {
  const all: Mark[] = [];
  for (const a of d.annotations.list) {
    for (const s of r.Answers.find((x) => x.query.Where === `annotation ${a.name}`)?.series ?? []) {
      let last: Mark | undefined;
      for (const [time, value] of s.values) {
        const t = a.useValueForTime ? Number(value) : time * 1000;
        if (last && t - last.to <= step * 1.5) {
          last.to = t;
        } else {
          all.push((last = { from: t, to: t, color: a.iconColor }));
        }
      }
    }
  }
  return all;
}

function Page() {
  const drains = marks(dashboard, recording);
  const column = width / 24;
  const bottom = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: 'relative', margin: gap, height: bottom * (cell + gap) }}>
        {dashboard.panels.map((panel) => {
          const { x, y, w, h } = panel.gridPos;
          const box = {
            position: 'absolute' as const,
            left: x * column,
            top: y * (cell + gap),
            width: w * column - gap,
            height: h * (cell + gap) - gap,
          };
          if (panel.type === 'row') {
            return (
              <div key={panel.id} style={{ ...box, color: theme.colors.text.primary, ...theme.typography.h5, lineHeight: `${cell}px` }}>
                {panel.title}
              </div>
            );
          }
          return (
            <div key={panel.id} style={box}>
              <PanelChrome title={panel.title} width={box.width} height={box.height} padding="md">
                {(width, height) => <Body panel={panel} recording={recording} step={step} marks={drains} width={width} height={height} />}
              </PanelChrome>
            </div>
          );
        })}
      </div>
    </ThemeContext.Provider>
  );
}

window.addEventListener('error', (e) => {
  document.title = `failed: ${e.message}`;
});
document.body.style.background = theme.colors.background.canvas;
createRoot(document.getElementById('page')!).render(<Page />);
