// The project a page is about: the one in the address, else the remembered one, else the first there is.
import { useEffect } from 'preact/hooks';
import { useServices } from '../state/services';
import { useValue } from './hooks';

export function useProject(): { project: string; projects: string[]; logstores: string[] } {
  const { router, catalog, prefs } = useServices();
  const route = useValue(router.route);
  const known = useValue(catalog.state);
  useEffect(() => void catalog.load(), []);
  const projects = known.projects.map(({ name }) => name);
  const asked = route.params.get('project') ?? prefs.get().project;
  const project = projects.includes(asked) ? asked : (projects[0] ?? '');
  const found = known.projects.find(({ name }) => name === project);
  return { project, projects, logstores: found?.logstores.map(({ name }) => name) ?? [] };
}
