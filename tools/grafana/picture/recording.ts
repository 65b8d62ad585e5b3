// What picture.mjs puts into the page: the dashboard, and the answers of the
// Prometheus that tools/observe/record ran.
import type { FieldConfigSource } from '@grafana/data';

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: Array<{ refId: string; instant: boolean; legendFormat?: string }>;
  fieldConfig: FieldConfigSource;
  options: any;
}

export interface Answer {
  query: { Where: string; RefID: string };
  asked: string;
  series: Array<{ metric: Record<string, string>; values: Array<[number, string]> }>;
}

export interface Recording {
  From: number;
  To: number;
  Instances: string[];
  Answers: Answer[];
}

export interface Dashboard {
  title: string;
  panels: Panel[];
  annotations: { list: Array<{ name: string; iconColor: string; useValueForTime?: string }> };
}

declare global {
  interface Window {
    dashboard: Dashboard;
    recording: Recording;
  }
}
