// What the dashboard's JSON has to satisfy: Grafana's own types, narrowed to the
// panel types and the query language that the dashboard uses. Each panel's options
// and field settings are checked against those of its type, so a misspelt or
// removed setting is an error and not a setting without effect.
import type {
  AnnotationQuery,
  Dashboard,
  DataQuery,
  FieldConfigSource,
  Panel,
  RowPanel,
  VariableModel,
} from '@grafana/schema';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as StateTimelineField,
  Options as StateTimeline,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesField,
  Options as TimeSeries,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** What a type looks like in JSON: enums are their values. */
export type JSONOf<T> = T extends string
  ? `${T}`
  : T extends number
    ? T | (`${T}` extends `${infer N extends number}` ? N : never)
    : T extends boolean | null | undefined
      ? T
      : unknown extends T
        ? T
        : T extends Array<infer E>
          ? Array<JSONOf<E>>
          : T extends object
            ? { [K in keyof T]: JSONOf<T[K]> }
            : T;

/** A query for Prometheus. Its type is the datasource's and not in the schema. */
interface PrometheusQuery extends DataQuery {
  editorMode: 'code' | 'builder';
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  range: boolean;
  legendFormat?: string;
}

/** T without the catch-all that lets any property through. */
type Exact<T, Custom> = Omit<FieldConfigSource, 'defaults'> & {
  defaults: Omit<FieldConfigSource['defaults'], 'custom'> & { custom?: Custom } & T;
};

/** A panel of one type. */
type Of<Type extends string, Options, Custom = never> = Omit<
  Panel,
  'type' | 'options' | 'fieldConfig' | 'targets' | 'description'
> & {
  type: Type;
  description: string;
  options: Options;
  fieldConfig: Exact<{ unit: string }, Custom>;
  targets: PrometheusQuery[];
};

/** Settings of the Prometheus datasource beside an annotation's query. */
type PrometheusAnnotation = Omit<AnnotationQuery, 'target'> & {
  target?: PrometheusQuery;
  tagKeys?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: 'on';
};

/** The query of a variable of the Prometheus datasource. */
type PrometheusVariable = Omit<VariableModel, 'query'> & {
  query: string | { qryType: number; query: string; refId: string };
};

export type FastdrainDashboard = JSONOf<
  Omit<Dashboard, 'panels' | 'annotations' | 'templating'> & {
    annotations: { list: PrometheusAnnotation[] };
    templating: { list: PrometheusVariable[] };
    panels: Array<
      | (RowPanel & { title: string })
      | Of<'timeseries', TimeSeries, TimeSeriesField>
      | Of<'stat', Stat>
      | Of<'bargauge', BarGauge>
      | Of<'state-timeline', StateTimeline, StateTimelineField>
    >;
  }
>;
