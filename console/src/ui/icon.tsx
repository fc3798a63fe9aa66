// The console's icons: lines on a 24-unit square, drawn in the colour of the text beside them.
const kPaths = {
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  down: 'm6 9.5 6 6 6-6',
  right: 'm9.5 6 6 6-6 6',
  left: 'm14.5 6-6 6 6 6',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'm5 12.5 5 5 9-11',
  plus: 'M12 5.5v13M5.5 12h13',
  minus: 'M5.5 12h13',
  exists: 'M5 9h14M5 15h14',
  close: 'm6 6 12 12M18 6 6 18',
  play: 'M8 5.5v13l10-6.5z',
  pause: 'M8.5 6v12M15.5 6v12',
  stop: 'M7 7h10v10H7z',
  help: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9.7 9.5a2.4 2.4 0 1 1 3.5 2.3c-.8.4-1.2 1-1.2 1.9M12 16.8v.1',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM9 14.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z',
  store:
    'M5 6.5c0-1.4 3.1-2.5 7-2.5s7 1.1 7 2.5S15.9 9 12 9 5 7.9 5 6.5zM5 6.5v11C5 18.9 8.1 20 12 20s7-1.1 7-2.5v-11M5 12c0 1.4 3.1 2.5 7 2.5s7-1.1 7-2.5',
  zoomOut: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21M7.5 10.5h6',
  wrap: 'M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 15.5 12.5 18l2.5 2.5M4 18h4',
  warning: 'M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.1',
  empty: 'M4 13.5 6.5 5h11l2.5 8.5V19H4zM4 13.5h4.5a3.5 3.5 0 0 0 7 0H20',
  around: 'M12 4v16M8 8l4-4 4 4M8 16l4 4 4-4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  leave: 'M14 4H5v16h9M10 12h11M17.5 8.5 21 12l-3.5 3.5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4',
  agent: 'M4 5h16v10H4zM9 20h6M12 15v5M8 9l2 2-2 2M12.5 13h3',
  key: 'M8 8.5a4.5 4.5 0 1 0 0 7 4.5 4.5 0 0 0 0-7zM11 12h10M17 12v4M20.5 12v3',
  star: 'm12 4 2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z',
  download: 'M12 4v11M7 10.5l5 5 5-5M4 20h16',
  fields: 'M4 5h16v14H4zM9.5 5v14',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  table: 'M4 5h16v14H4zM4 10h16M10 10v9',
  line: 'M4 19h16M4 15l5-5 4 3 7-7',
  bars: 'M4 20h16M7 20v-7M12 20V6M17 20v-10',
  pie: 'M12 4a8 8 0 1 0 8 8h-8zM15 3.5a6 6 0 0 1 5.5 5.5H15z',
  value: 'M7 8l3-2v12M14 6h4v5h-4v7h4.5',
  patterns: 'M4 6h16M4 11h9M4 16h13M17 10.5h3',
  edit: 'M5 19l1-4L16 5l3 3L9 18z',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  refresh: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
  up: 'm6 14.5 6-6 6 6',
} as const;

export type IconName = keyof typeof kPaths;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={kPaths[name]} />
    </svg>
  );
}

// The mark of Kelp: three blades in a current.
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect class="logo-ground" width="32" height="32" rx="7" />
      <path
        class="logo-front"
        d="M16 27c-3.4-4 2.6-6.6 0-11s-2.6-6.5 1.2-11c3 4.6-1.8 6.6.6 11 2.3 4.3 1.6 7.4-1.8 11z"
      />
      <path
        class="logo-back"
        d="M9.5 26c-2.2-2.8.9-4.7-.4-7.8-1.1-2.7-.6-5 1.9-7.5 1.6 3-1 4.5.3 7.6 1.2 2.9 1 5.3-1.8 7.7zm13 0c2.2-2.8-.9-4.7.4-7.8 1.1-2.7.6-5-1.9-7.5-1.6 3 1 4.5-.3 7.6-1.2 2.9-1 5.3 1.8 7.7z"
      />
    </svg>
  );
}
