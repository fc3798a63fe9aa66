// The pages that are loaded when one of them is first opened.
export { AgentsPage } from './agents/agents_page';
export { AlertsPage } from './alerts/alerts_page';
export { DashboardsPage } from './dashboards/dashboards_page';
export { LogstoresPage } from './logstores/logstores_page';
export { SettingsPage } from './settings/settings_page';
export { TokensPage } from './tokens/tokens_page';
