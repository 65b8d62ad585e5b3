// Prometheus's answers as the data frames that Grafana's components take.
import {
  applyFieldOverrides,
  createTheme,
  type DataFrame,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  FieldType,
  type GrafanaTheme2,
} from '@grafana/data';

import type { Answer, Panel } from './recording';

export const theme: GrafanaTheme2 = createTheme({ colors: { mode: 'dark' } });

/** The legend of a series, from the query's legend format. */
function legend(format: string | undefined, labels: Record<string, string>, asked: string): string {
  if (!format) {
    return asked;
  }
  return format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '').trim();
}

/** The frames of a panel: one for each series, on the step's points, with null where there is no sample. */
export function frames(panel: Panel, answers: Answer[], from: number, to: number, step: number): DataFrame[] {
  const all: DataFrame[] = [];
  for (const target of panel.targets ?? []) {
    const answer = answers.find((a) => a.query.Where === panel.title && a.query.RefID === target.refId);
    if (!answer) {
      throw new Error(`${panel.title}: no recorded answer for the query ${target.refId}`);
    }
    for (const series of answer.series) {
      const points = new Map(series.values.map(([time, value]) => [Math.round(time * 1000), Number(value)]));
      const times: number[] = [];
      if (target.instant) {
        times.push(...points.keys());
      } else {
        for (let t = from; t <= to; t += step) {
          times.push(t);
        }
      }
      const { __name__: _, ...labels } = series.metric;
      const name = legend(target.legendFormat, labels, answer.asked);
      all.push({
        refId: target.refId,
        length: times.length,
        fields: [
          { name: 'Time', type: FieldType.time, config: {}, values: times },
          {
            name: 'Value',
            type: FieldType.number,
            labels,
            config: { displayNameFromDS: name },
            values: times.map((t) => points.get(t) ?? null),
          },
        ],
      });
    }
  }
  return applyFieldOverrides({
    data: all,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: registry(panel),
    replaceVariables: (s) => s ?? '',
    theme,
    timeZone: 'utc',
  });
}

/** The properties that the panel's overrides set. Grafana's panel plugins register theirs. */
function registry(panel: Panel): FieldConfigOptionsRegistry {
  const properties = new FieldConfigOptionsRegistry();
  const add = (id: string, path: string, isCustom: boolean) => {
    if (properties.getIfExists(id)) {
      return;
    }
    properties.register({
      id, path, isCustom, name: id,
      editor: () => null, override: () => null,
      process: (value: unknown) => value,
      shouldApply: () => true,
    } as unknown as FieldConfigPropertyItem);
  };
  for (const name of ['unit', 'decimals', 'min', 'max', 'noValue', 'color', 'mappings', 'thresholds', 'displayName']) {
    add(name, name, false);
  }
  for (const name of Object.keys(panel.fieldConfig.defaults.custom ?? {})) {
    add(`custom.${name}`, name, true);
  }
  for (const { properties: set } of panel.fieldConfig.overrides) {
    for (const { id } of set) {
      if (id.startsWith('custom.')) {
        add(id, id.slice('custom.'.length), true);
      }
    }
  }
  return properties;
}
