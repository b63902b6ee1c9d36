// Shows the numbers under the pointer and zooms into a stretch of time. The page reads well without it.
const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000];
const format = (value) => value.toLocaleString('en-US', { maximumSignificantDigits: Math.abs(value) >= 100 ? 9 : 3 });

for (const figure of document.querySelectorAll('figure[data-points]')) {
  const data = JSON.parse(document.getElementById(figure.dataset.points).textContent);
  const readout = figure.querySelector('.readout');
  const hint = readout.innerHTML;
  if (data.t.length) for (const svg of figure.querySelectorAll('svg[data-x]')) attach(svg, data, readout, hint);
}

function attach(svg, data, readout, hint) {
  const [left, right] = svg.dataset.x.split(' ').map(Number);
  const whole = svg.dataset.t.split(' ').map(Number);
  const box = svg.viewBox.baseVal;
  const cursor = svg.querySelector('.cursor');
  const times = svg.querySelector('.times');
  const wholeTimes = [...times.childNodes];
  let [from, to] = whole;
  let index = data.t.length - 1;
  let dragged = null;

  const place = (seconds) => left + ((seconds - from) / (to - from)) * (right - left);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const xOf = (event) => {
    const area = svg.getBoundingClientRect();
    return clamp(((event.clientX - area.left) / area.width) * box.width, left, right);
  };
  const timeAt = (x) => from + ((x - left) / (right - left)) * (to - from);
  const make = (name, attributes, content) => {
    const node = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (content) node.textContent = content;
    return node;
  };

  function show() {
    const seconds = data.start + data.t[index];
    cursor.setAttribute('transform', `translate(${clamp(place(seconds), left, right).toFixed(1)} 0)`);
    cursor.style.visibility = 'visible';
    const time = document.createElement('b');
    time.textContent = new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
    const known = data.names.map((name, series) => [name, data.v[series][index]]).filter(([, value]) => value !== null);
    readout.replaceChildren(time, ' · ' + known.map(([name, value]) => `${name} ${format(value)}`).join(' · '));
  }

  function zoom(start, end) {
    const least = Math.max(600, 4 * (data.t.length > 1 ? data.t[1] - data.t[0] : 60));
    if (end - start < least) [start, end] = [(start + end - least) / 2, (start + end + least) / 2];
    from = Math.max(whole[0], start);
    to = Math.min(whole[1], end);
    const zoomed = to - from < whole[1] - whole[0];
    svg.classList.toggle('zoomed', zoomed);
    const scale = (whole[1] - whole[0]) / (to - from);
    const shift = left - (left + ((from - whole[0]) / (whole[1] - whole[0])) * (right - left)) * scale;
    svg.querySelector('.zoom').setAttribute('transform', `matrix(${scale} 0 0 1 ${shift} 0)`);
    if (!zoomed) return times.replaceChildren(...wholeTimes);
    const most = (right - left) / 84;
    const step = STEPS.find((length) => (to - from) / length < most) ?? STEPS.at(-1);
    times.replaceChildren();
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const x = clamp(place(t), left + 14, right - 18).toFixed(1);
      const date = new Date(t * 1000);
      const label = t % 86400 === 0
        ? date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
        : date.toISOString().slice(11, 16);
      times.append(
        make('path', { class: 'tick', d: `M${place(t).toFixed(1)} ${box.height - 22}v5` }),
        make('text', { x, y: box.height - 4, 'text-anchor': 'middle' }, label),
      );
    }
  }

  svg.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse' || event.button !== 0) return;
    event.preventDefault();
    svg.focus({ preventScroll: true });
    const [, top, bottom] = cursor.getAttribute('d').match(/ (.+)V(.+)/).map(Number);
    const selection = make('rect', { class: 'selection', y: top, height: bottom - top, x: 0, width: 0 });
    dragged = { start: xOf(event), selection };
    svg.append(selection);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    const x = xOf(event);
    if (dragged) {
      dragged.selection.setAttribute('x', Math.min(x, dragged.start));
      dragged.selection.setAttribute('width', Math.abs(x - dragged.start));
    }
    const seconds = timeAt(x) - data.start;
    let [low, high] = [0, data.t.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (data.t[middle] <= seconds) low = middle; else high = middle - 1;
    }
    index = low;
    show();
  });
  const drop = (event) => {
    if (!dragged) return;
    const [start, end] = [dragged.start, xOf(event)].sort((a, b) => a - b);
    dragged.selection.remove();
    dragged = null;
    if (event.type !== 'pointerup' || end - start <= 6) return;
    cursor.style.visibility = 'hidden'; // Until the pointer moves: it is at another time now.
    zoom(timeAt(start), timeAt(end));
  };
  svg.addEventListener('pointerup', drop);
  svg.addEventListener('pointercancel', drop);
  svg.addEventListener('dblclick', () => zoom(...whole));
  svg.addEventListener('pointerleave', () => {
    cursor.style.visibility = 'hidden';
    readout.innerHTML = hint;
  });
  svg.addEventListener('keydown', (event) => {
    const last = data.t.length - 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50, Home: -last, End: last }[event.key];
    const factor = { '+': 0.25, '=': 0.25, '-': 1 }[event.key];
    if (step) {
      index = clamp(index + step, 0, last);
      const seconds = data.start + data.t[index];
      if (seconds < from || seconds > to) zoom(seconds - (to - from) / 2, seconds + (to - from) / 2);
      show();
    } else if (factor) {
      const [middle, half] = [data.start + data.t[index], factor * (to - from)];
      zoom(middle - half, middle + half);
      show();
    } else if (event.key === 'Escape') {
      zoom(...whole);
    } else {
      return;
    }
    event.preventDefault();
  });
}
