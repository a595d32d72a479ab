// What gridwatch uses of Grafana's schema, as Grafana's own package has it: `test_grafana_schema.py` makes a JSON
// Schema of it.
import { Dashboard } from '@grafana/schema/dist/types/raw/dashboard/x/dashboard_types.gen'
import * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
import * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen'
import * as statushistory from '@grafana/schema/dist/types/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen'
import * as statetimeline from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen'
import * as barchart from '@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen'
import * as timeseries from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'

type Panel<Options, Custom> = { options: Options; custom: Custom }

export interface Grafana {
  dashboard: Dashboard
  stat: Panel<stat.Options, {}>
  table: Panel<table.Options, table.FieldConfig>
  'status-history': Panel<statushistory.Options, statushistory.FieldConfig>
  'state-timeline': Panel<statetimeline.Options, statetimeline.FieldConfig>
  barchart: Panel<barchart.Options, barchart.FieldConfig>
  timeseries: Panel<timeseries.Options, timeseries.FieldConfig>
}
