"use strict";
(async function () {
  const data = JSON.parse(document.getElementById("episodes").textContent);
  const words = data.words;
  const root = document.getElementById("player");
  if (!root || !data.episodes.length) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const slider = document.getElementById("step"), shown = document.getElementById("shown");
  const play = document.getElementById("play"), choice = document.getElementById("episode");
  const place = document.getElementById("stage");
  let episode = null, t = 0, timer = 0, redraw = [];

  function bytesOf(text) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }
  async function unpacked(text) {
    const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  function element(kind, parent, text, name) {
    const made = document.createElement(kind);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    if (parent) parent.appendChild(made);
    return made;
  }
  function between(stops, share) {
    const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2), f = at - i;
    return [0, 1, 2].map(k => Math.round(stops[i][k] + f * (stops[i + 1][k] - stops[i][k])));
  }
  const VIRIDIS = [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37]];
  function table(signed) {
    const stops = !signed ? VIRIDIS : dark.matches ? [[74, 163, 255], [16, 20, 26], [255, 138, 91]] : [[27, 111, 214], [255, 255, 255], [209, 72, 26]];
    const found = [dark.matches ? [69, 76, 87] : [201, 206, 214]];
    for (let level = 1; level < 256; level++) found.push(between(stops, (level - 1) / 254));
    return found;
  }
  function valueOf(view, level) {
    if (!level) return "–";
    const value = view.signed ? (level - 128) / 127 * view.largest : (level - 1) / 254 * view.largest;
    return value.toPrecision(3).replace("-", "−");
  }
  function paint(canvas, rows, columns, level, colors) {
    canvas.width = columns; canvas.height = rows;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const color = colors[level(i)];
      image.data[4 * i] = color[0]; image.data[4 * i + 1] = color[1]; image.data[4 * i + 2] = color[2]; image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }
  function place_of(event, canvas, rows, columns) {
    const box = canvas.getBoundingClientRect();
    return [Math.min(rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * rows))),
            Math.min(columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * columns)))];
  }
  // A view with one axis: its units over the whole episode, with a line at the step.
  function overTime(view, parent, readout) {
    const units = view.columns.length, kept = Math.floor(view.levels.length / units);
    const wide = Math.max(kept, 500), high = Math.min(Math.max(units, 60), 220);
    const whole = document.createElement("canvas"), canvas = element("canvas", parent);
    canvas.setAttribute("role", "img");
    canvas.style.aspectRatio = wide + " / " + high; canvas.style.maxHeight = "260px";
    const draw = () => {
      canvas.width = wide; canvas.height = high;
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(whole, 0, 0, wide, high);
      const width = Math.max(wide / kept, 2), x = Math.min(Math.floor(t / view.every) * wide / kept, wide - width);
      context.strokeStyle = dark.matches ? "#ffffff" : "#000000"; context.lineWidth = 2;
      context.strokeRect(x - 1, 1, width + 2, high - 2);
      canvas.setAttribute("aria-label", view.title + ", " + words.step + " " + t);
    };
    const color = () => { paint(whole, units, kept, i => view.levels[(i % kept) * units + Math.floor(i / kept)], table(view.signed)); draw(); };
    canvas.addEventListener("mousemove", event => {
      const [unit, step] = place_of(event, canvas, units, kept);
      readout.textContent = view.columns[unit] + ", " + words.step + " " + step * view.every + ": " + valueOf(view, view.levels[step * units + unit]);
    });
    canvas.addEventListener("click", event => go(place_of(event, canvas, units, kept)[1] * view.every));
    color();
    redraw.push({ draw, color });
  }
  // Any other view: a map for each head, rows by columns, of the step.
  function atStep(view, parent, readout) {
    const rows = view.rows.length, columns = view.columns.length, maps = view.heads.length, size = rows * columns * maps;
    const grid = element("div", parent, undefined, maps > 1 ? "heads" : "heads one");
    for (let map = 0; map < maps; map++) {
      const box = element("div", grid), canvas = element("canvas", box);
      canvas.setAttribute("role", "img");
      canvas.style.aspectRatio = Math.max(columns, 1) + " / " + Math.max(rows, columns / 12);
      canvas.style.maxHeight = maps > 1 ? "200px" : Math.min(260, 26 * rows + 40) + "px";
      if (maps === 1 && columns <= 8) {
        const names = element("div", box, undefined, "columns");
        for (const name of view.columns) element("span", names, name).title = name;
      }
      if (maps > 1) element("small", box, view.heads[map]);
      const first = () => Math.min(Math.floor(t / view.every), Math.floor(view.levels.length / size) - 1) * size + map * rows * columns;
      let colors = table(view.signed);
      const draw = () => {
        const from = first();
        paint(canvas, rows, columns, i => view.levels[from + i], colors);
        canvas.setAttribute("aria-label", view.title + (maps > 1 ? ", " + view.heads[map] : "") + ", " + words.step + " " + t);
      };
      canvas.addEventListener("mousemove", event => {
        const [row, column] = place_of(event, canvas, rows, columns);
        const named = [maps > 1 ? view.heads[map] : "", rows > 1 || view.rows[0] ? view.rows[row] : "", view.columns[column]];
        readout.textContent = named.filter(each => each).join(" · ") + ": " + valueOf(view, view.levels[first() + row * columns + column]);
      });
      draw();
      redraw.push({ draw, color: () => { colors = table(view.signed); draw(); } });
    }
  }
  function film(parent) {
    if (!episode.images.length) { element("p", parent, episode.no_film || words.no_film, "muted"); return; }
    const image = element("img", parent, undefined, "film");
    const sources = episode.images.map(each => "data:image/" + episode.kind + ";base64," + each);
    const loaded = sources.map(source => { const each = new Image(); each.src = source; return each; });
    image.id = "film";
    const draw = () => {
      const at = episode.order[Math.min(t, episode.order.length - 1)];
      if (image.dataset.at !== String(at)) { image.src = loaded[at].src; image.dataset.at = String(at); }
      image.alt = words.picture + " " + t;
    };
    draw();
    redraw.push({ draw, color: draw });
  }
  function actions(parent) {
    const box = element("div", parent, undefined, "actions"), rows = [];
    const all = episode.q.flat().filter(each => each !== null);
    const low = episode.probability ? 0 : Math.min(0, ...minmax(all)), high = episode.probability ? 1 : Math.max(0, ...minmax(all));
    for (const name of episode.actions) {
      const label = element("span", box, name), bar = element("div", box, undefined, "bar"), fill = element("i", bar);
      rows.push({ label, fill, value: element("span", box, "") });
    }
    const reward = element("p", parent, "", "muted");
    const draw = () => {
      const step = Math.min(t, episode.length - 1), values = episode.q[step] || [];
      rows.forEach((row, a) => {
        const value = values[a], taken = t < episode.length && (episode.options ? episode.options[step].includes(a) : episode.taken[step] === a), known = value !== null && value !== undefined;
        row.label.className = taken ? "taken" : "";
        row.label.textContent = episode.actions[a] + (taken ? " ◂" : "");
        const x = known ? (Math.min(value, 0) - low) / (high - low || 1) : 0, wide = known ? Math.abs(value) / (high - low || 1) : 0;
        row.fill.style.left = 100 * x + "%"; row.fill.style.width = 100 * wide + "%";
        row.value.textContent = known ? value.toPrecision(4).replace("-", "−") : "–";
      });
      let sum = 0;
      for (let i = 0; i < Math.min(t, episode.length); i++) sum += episode.rewards[i] || 0;
      reward.textContent = words.so_far + " " + Number(sum.toPrecision(6)).toString().replace("-", "−");
    };
    draw();
    redraw.push({ draw, color: draw });
  }
  function minmax(values) {
    let low = Infinity, high = -Infinity;
    for (const each of values) { if (each < low) low = each; if (each > high) high = each; }
    return values.length ? [low, high] : [0, 1];
  }
  function go(step) {
    t = Math.min(Math.max(0, Math.round(step)), episode.length);
    slider.value = t;
    slider.setAttribute("aria-valuetext", words.step + " " + t + " / " + episode.length);
    shown.textContent = words.step + " " + t + " / " + episode.length;
    for (const each of redraw) each.draw();
  }
  function stop() { clearInterval(timer); timer = 0; play.textContent = words.play; }
  function start() {
    if (t >= episode.length) go(0);
    play.textContent = words.pause;
    timer = setInterval(() => { if (t >= episode.length) stop(); else go(t + 1); }, 1000 / Math.min(Math.max(episode.fps, 1), 30));
  }
  async function open(index) {
    stop();
    const wanted = data.episodes[index];
    for (const view of wanted.views) if (!view.levels) view.levels = await unpacked(view.packed);
    episode = wanted; redraw = []; place.textContent = "";
    slider.max = episode.length;
    document.getElementById("about").textContent = episode.about;
    const left = element("div", place), right = element("div", place, undefined, "maps");
    film(left); actions(left);
    for (const view of episode.views) {
      const figure = element("figure", right), caption = element("figcaption", figure);
      element("span", caption, view.title); element("span", caption, view.axes, "legend");
      const readout = document.createElement("div");
      (view.over_time ? overTime : atStep)(view, figure, readout);
      readout.className = "readout"; figure.appendChild(readout);
    }
    if (!episode.views.length) element("p", right, words.no_views, "muted");
    go(0);
    root.dataset.ready = "yes";
  }
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  play.addEventListener("click", () => timer ? stop() : start());
  if (choice) choice.addEventListener("change", () => open(Number(choice.value)));
  document.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || ["SELECT", "TEXTAREA", "SUMMARY"].includes(event.target.tagName)) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (by) { stop(); go(t + by); event.preventDefault(); }
    else if (event.key === "Home" || event.key === "End") { stop(); go(event.key === "Home" ? 0 : episode.length); event.preventDefault(); }
    else if (event.key === " " && event.target.tagName !== "BUTTON") { timer ? stop() : start(); event.preventDefault(); }
  });
  dark.addEventListener("change", () => { for (const each of redraw) each.color(); });
  root.hidden = false;
  try { await open(0); } catch (error) { element("p", place, words.too_old, "muted"); }
})();
