// Rows for the development server: a small cluster that logs as real ones do, the same on every start
// except for the clock.

// A seeded generator (mulberry32): the same rows each time.
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const kPods = [
  ['shop', 'checkout-6c9f7d5b8-x2lqp', 'checkout'],
  ['shop', 'checkout-6c9f7d5b8-m8wzt', 'checkout'],
  ['shop', 'catalog-5d8b9c7f4-qr7nd', 'catalog'],
  ['shop', 'cart-0', 'cart'],
  ['ingress', 'nginx-7f6d4c9b5-hh2kz', 'nginx'],
  ['kube-system', 'coredns-76f75df574-lq9xw', 'coredns'],
];
const kNodes = ['node-a', 'node-b', 'node-c'];
const kPaths = [
  '/api/v1/cart',
  '/api/v1/checkout',
  '/catalog/items?page=2',
  '/healthz',
  '/static/app.js',
];

const hex = (random, digits) =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
const pick = (random, list) => list[Math.floor(random() * list.length)];

function nginx(random) {
  const status = pick(random, [200, 200, 200, 200, 204, 301, 304, 404, 499, 502, 503]);
  const path = pick(random, kPaths);
  const ms = Math.round(random() ** 4 * 4000 + 2);
  const client = `10.42.${Math.floor(random() * 4)}.${Math.floor(random() * 255)}`;
  return {
    body: `${client} - - "GET ${path} HTTP/1.1" ${status} ${Math.floor(random() * 48000)} "-" "Mozilla/5.0 (X11; Linux x86_64)" ${ms / 1000}`,
    fields: {
      status,
      method: 'GET',
      path,
      duration_ms: ms,
      client,
      level: status >= 500 ? 'error' : 'info',
    },
  };
}

function checkout(random) {
  const order = 100000 + Math.floor(random() * 900000);
  const trace_id = hex(random, 32);
  const kind = random();
  if (kind < 0.05) {
    return {
      body: '',
      fields: {
        level: 'error',
        msg: `payment for order ${order} failed: connection refused`,
        order,
        trace_id,
        retry: true,
        upstream: { host: 'payments.shop.svc', port: 8443, attempts: [120, 480, 2000] },
      },
    };
  }
  if (kind < 0.16) {
    const elapsed_ms = 500 + Math.floor(random() * 3000);
    return {
      body: '',
      fields: {
        level: 'warn',
        msg: `slow payment provider, order ${order}`,
        order,
        trace_id,
        elapsed_ms,
      },
    };
  }
  return {
    body: '',
    fields: {
      level: 'info',
      msg: `order ${order} accepted`,
      order,
      trace_id,
      amount: Math.round(random() * 20000) / 100,
    },
  };
}

const kJavaTrace =
  'ERROR [main] c.e.catalog.Indexer - index rebuild failed\n' +
  'java.lang.IllegalStateException: segment 42 is closed\n' +
  '\tat com.example.catalog.Indexer.rebuild(Indexer.java:118)\n' +
  '\tat com.example.catalog.Main.main(Main.java:40)\n' +
  'Caused by: java.io.IOException: No space left on device\n' +
  '\t... 2 more';

function catalog(random) {
  const kind = random();
  if (kind < 0.03) return { body: kJavaTrace, fields: {} };
  if (kind < 0.3)
    return {
      body: `DEBUG [pool-1] c.e.catalog.Cache - hit ratio 0.${Math.floor(random() * 90) + 10}`,
      fields: {},
    };
  return {
    body: `INFO [http-4] c.e.catalog.Items - listed ${Math.floor(random() * 200)} items in ${Math.floor(random() * 90)} ms`,
    fields: {},
  };
}

function plain(random) {
  const lines = [
    'I1121 13:05:07.123456       1 reflector.go:243] Listing and watching *v1.Service',
    '[INFO] 10.42.0.17:53914 - 4711 "A IN payments.shop.svc.cluster.local. udp 54 false 512" NOERROR 0.000214s',
    '[WARNING] plugin/kubernetes: Kubernetes API connection failure, retrying',
    '购物车已保存,用户 张三,商品 3 件',
    '\u001b[32mINFO\u001b[0m cart \u001b[1mopened\u001b[0m by \u001b[36muser 7\u001b[0m',
    '{"msg":"cart priced","cart":{"id":42,"items":[{"sku":"a-1","n":2},{"sku":"b-7","n":1}]},"total":18.5}',
    'cart saved <b onmouseover=alert(1)>not markup</b> & <script>alert("no")</script>',
  ];
  return { body: pick(random, lines), fields: {} };
}

const kWriters = { nginx, checkout, catalog, cart: plain, coredns: plain };

// One row at `ms` (with a made-up fraction).
export function makeRow(random, ms, offset) {
  const [namespace, pod, container] = pick(random, kPods);
  const { body, fields } = kWriters[container](random);
  const nanos = String(Math.floor(random() * 1e6)).padStart(6, '0');
  return {
    time: new Date(ms).toISOString().replace('Z', `${nanos}Z`),
    body,
    fields,
    resource: {
      'k8s.namespace.name': namespace,
      'k8s.pod.name': pod,
      'k8s.container.name': container,
      'k8s.node.name': kNodes[pod.length % 3],
      'log.file.path': `/var/log/pods/${namespace}_${pod}/${container}/0.log`,
    },
    origin: {
      id: `${pod.length.toString(16).padStart(2, '0')}7f3a9c5e1b2d4f6a8091b2c3d4e5f6`.slice(0, 32),
      offset,
    },
  };
}

// About `count` rows over the `spanMs` before `now`, oldest first: a daily wave with two bursts.
export function makeHistory(random, now, spanMs, count) {
  const times = [];
  while (times.length < count) {
    const back = random() ** 1.6;
    const wave = 0.55 + 0.45 * Math.sin(back * 19);
    const burst = Math.abs(back - 0.003) < 0.0007 || Math.abs(back - 0.31) < 0.004;
    if (random() < wave || burst) times.push(now - back * spanMs);
  }
  times.sort((a, b) => a - b);
  return times.map((ms, index) => makeRow(random, ms, index * 240));
}
