// The panels, drawn by Grafana's own components where its npm packages have them:
// TimeSeries, BigValue and BarGauge. They do not have the state timeline: that one
// is drawn here, on Grafana's plot.
import {
  type DataFrame,
  dateTime,
  FieldType,
  formattedValueToString,
  getDisplayProcessor,
  getFieldDisplayValues,
  type TimeRange,
} from '@grafana/data';
import {
  BarGauge,
  BigValue,
  type UPlotConfigBuilder,
  UPlotChart,
  UPlotConfigBuilder as Builder,
  TimeSeries,
  VizRepeater,
} from '@grafana/ui';
import { AxisPlacement, ScaleDirection, ScaleOrientation, VizOrientation } from '@grafana/schema';
import type uPlot from 'uplot';

import { frames, theme } from './frames';
import type { Panel, Recording } from './recording';

interface Props {
  panel: Panel;
  data: DataFrame[];
  width: number;
  height: number;
  range: TimeRange;
  marks: Mark[];
}

/** A drain, for the annotations. */
export interface Mark {
  from: number;
  to: number;
  color: string;
}

/** Draws the annotations on a plot, as Grafana does: a line, or a stretch of time. */
function draw(marks: Mark[]) {
  return (u: uPlot) => {
    const { ctx, bbox } = u;
    ctx.save();
    for (const m of marks) {
      const color = theme.visualization.getColorByName(m.color);
      const x0 = u.valToPos(m.from, 'x', true);
      const x1 = u.valToPos(m.to, 'x', true);
      ctx.fillStyle = ctx.strokeStyle = color;
      ctx.globalAlpha = 0.12;
      ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
      ctx.globalAlpha = 0.8;
      ctx.setLineDash([5, 5]);
      ctx.beginPath();
      ctx.moveTo(x0, bbox.top);
      ctx.lineTo(x0, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function Lines({ panel, data, width, height, range, marks }: Props) {
  return (
    <TimeSeries frames={data} width={width} height={height} timeRange={range} timeZone="utc" legend={panel.options.legend}>
      {(builder: UPlotConfigBuilder) => {
        builder.addHook('drawClear', draw(marks));
        return null;
      }}
    </TimeSeries>
  );
}

function values({ panel, data }: Props) {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (s) => s ?? '',
    theme, data, timeZone: 'utc',
  });
}

function Stats(props: Props) {
  const { panel, width, height } = props;
  return (
    <VizRepeater
      source={props.data} getValues={() => values(props)} renderCounter={0} autoGrid
      width={width} height={height} orientation={VizOrientation.Auto}
      renderValue={({ value, width, height, count }) => (
        <BigValue
          count={count} value={value.display} width={width} height={height} theme={theme}
          colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
          justifyMode={panel.options.justifyMode} textMode={panel.options.textMode} wideLayout={panel.options.wideLayout}
        />
      )}
    />
  );
}

function Bars(props: Props) {
  const { panel, width, height } = props;
  return (
    <VizRepeater
      source={props.data} getValues={() => values(props)} renderCounter={0}
      width={width} height={height} orientation={panel.options.orientation} itemSpacing={8}
      minVizWidth={panel.options.minVizWidth} minVizHeight={panel.options.minVizHeight}
      getAlignmentFactors={(all) => ({
        title: all.map((v) => v.display.title ?? '').reduce((a, b) => (a.length > b.length ? a : b), ''),
        text: all.map((v) => formattedValueToString(v.display)).reduce((a, b) => (a.length > b.length ? a : b), ''),
      })}
      renderValue={({ value, width, height, orientation, alignmentFactors }) => (
        <BarGauge
          value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          width={width} height={height} orientation={orientation} theme={theme} alignmentFactors={alignmentFactors as any}
          displayMode={panel.options.displayMode} valueDisplayMode={panel.options.valueMode}
          namePlacement={panel.options.namePlacement} text={panel.options.text} showUnfilled={panel.options.showUnfilled} itemSpacing={8}
        />
      )}
    />
  );
}

/** One line of coloured stretches for each series. */
function Timeline({ data, width, height, range }: Props) {
  const builder = new Builder('utc');
  builder.addScale({
    scaleKey: 'x', isTime: true, orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme, grid: { show: false } });
  builder.addScale({
    scaleKey: 'y', orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up, range: () => [0, data.length],
  });
  builder.addAxis({
    scaleKey: 'y', placement: AxisPlacement.Left, theme, grid: { show: false }, ticks: { show: false }, size: 200,
    splits: () => data.map((_, i) => data.length - i - 0.5),
    values: () => data.map((f) => f.fields[1].config.displayNameFromDS),
  } as any);
  builder.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, pointsBuilder: () => false } as any);
  builder.addHook('draw', (u) => {
    const { ctx } = u;
    ctx.save();
    ctx.font = `12px ${theme.typography.fontFamily}`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    data.forEach((frame, line) => {
      const [times, field] = frame.fields;
      const display = field.display ?? getDisplayProcessor({ field, theme });
      const step = times.values[1] - times.values[0];
      const top = u.valToPos(data.length - line - 0.05, 'y', true);
      const bottom = u.valToPos(data.length - line - 0.95, 'y', true);
      for (let i = 0; i < times.values.length; ) {
        let j = i + 1;
        while (j < times.values.length && field.values[j] === field.values[i]) {
          j++;
        }
        if (field.values[i] != null) {
          const { text, color } = display(field.values[i]);
          const x0 = u.valToPos(times.values[i], 'x', true);
          const x1 = u.valToPos(times.values[j - 1] + step, 'x', true);
          ctx.globalAlpha = 0.8;
          ctx.fillStyle = color ?? 'gray';
          ctx.fillRect(x0, top, x1 - x0, bottom - top);
          ctx.globalAlpha = 1;
          if (ctx.measureText(text).width + 8 < x1 - x0) {
            ctx.fillStyle = theme.colors.getContrastText(color ?? '#808080');
            ctx.fillText(text, x0 + 5, (top + bottom) / 2);
          }
        }
        i = j;
      }
    });
    ctx.restore();
  });
  const times = data[0].fields[0].values;
  return <UPlotChart config={builder} data={[times, times.map(() => 0)] as any} width={width} height={height} />;
}

const kinds: Record<string, (p: Props) => React.ReactElement> = {
  timeseries: Lines,
  stat: Stats,
  bargauge: Bars,
  'state-timeline': Timeline,
};

/** The inside of a panel. */
export function Body(props: { panel: Panel; recording: Recording; step: number; marks: Mark[]; width: number; height: number }) {
  const { panel, recording, step } = props;
  const Kind = kinds[panel.type];
  if (!Kind) {
    throw new Error(`${panel.title}: a panel of the type ${panel.type} cannot be drawn`);
  }
  const data = frames(panel, recording.Answers, recording.From, recording.To, step);
  if (!data.some((f) => f.fields.some((x) => x.type === FieldType.number && x.values.some((v) => v != null)))) {
    throw new Error(`${panel.title}: no data`);
  }
  const from = dateTime(recording.From);
  const to = dateTime(recording.To);
  return <Kind {...props} data={data} range={{ from, to, raw: { from, to } }} />;
}
