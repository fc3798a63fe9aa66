// The parts of the search page that are loaded when they are first opened. Together, for few requests: a
// reader who opens one opens others.
export { Analysis } from './analysis/analysis';
export { ContextDrawer } from './context/context_drawer';
export { ExplainPanel } from './explain/explain_panel';
export { ExportPanel } from './export/export_panel';
export { FieldsPanel } from './fields/fields_panel';
export { Library } from './library/library';
export { PatternsView } from './patterns/patterns_view';
