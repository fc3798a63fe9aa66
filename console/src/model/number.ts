// Numbers as people read them.
const kGrouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

// 12,345,678
export function countText(value: number): string {
  return kGrouped.format(value);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let index = 0;
  let rest = value;
  while (rest >= base && index < units.length - 1) {
    rest /= base;
    ++index;
  }
  if (index > 0 && rest >= 999.5 && base === 1000 && index < units.length - 1) {
    rest /= base;
    ++index;
  }
  const digits = index === 0 || rest >= 99.95 ? 0 : 1;
  return `${rest.toFixed(digits).replace(/\.0$/, '')}${units[index]}`;
}

// 950, 1.2k, 3.4M
export function compactCount(value: number): string {
  return scaled(value, 1000, ['', 'k', 'M', 'G', 'T']);
}

// 512 B, 1.5 KiB, 30 GiB
export function bytesText(value: number): string {
  return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);
}

// 0.4 ms, 36 ms, 1.2 s
export function millisText(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(value >= 10000 ? 0 : 1)} s`;
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} ms`;
}
