"""The queries of the dashboards: the module of a dashboard here has the name that it has above."""
