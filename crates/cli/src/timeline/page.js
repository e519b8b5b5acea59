"use strict";
// Draws the lanes of the module and the table of functions. All that comes from the program is set as text, never as HTML.
(() => {
  const { end, phases, looks, lanes, functions } = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 100;
  const [INDEX, NAME, WASM, BASELINE, OPTIMIZING, OSR, CPU_BASELINE, CPU_OPTIMIZING, CPU_OSR, TIER_UPS, ENTERED, GIVEN_UP, PHASES] =
    Array.from({ length: 13 }, (_, at) => at);
  const byId = (id) => document.getElementById(id);
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const number = (value) => (value ? value.toLocaleString("en") : "");
  const time = (us) => us >= 1e6 ? `${(us / 1e6).toFixed(3)} s` : us >= 1e3 ? `${(us / 1e3).toFixed(2)} ms` : `${us} us`;
  const cost = (us) => (us ? time(us) : "");
  const path = (row) => {
    const steps = row[PHASES] || [];
    const words = [];
    for (let at = 0; at < steps.length && words.length < 12; at += 2) words.push(`${phases[steps[at + 1]]} from ${time(steps[at])}`);
    if (steps.length / 2 > words.length) words.push(`and ${(steps.length / 2 - words.length).toLocaleString("en")} more changes`);
    return words.join(", ") || "never compiled";
  };
  const state = (row) => {
    const steps = row[PHASES] || [];
    return steps.length ? steps[steps.length - 1] : 0;
  };

  const name = (row) => row[NAME] ?? "";

  // Each column: head, what it sorts by, its text, whether it holds numbers, and what the head means.
  const columns = [
    ["#", (row) => row.rank, (row) => row.rank + 1, true, "Rank by heat"],
    ["function", (row) => row[INDEX], (row) => row[INDEX], true, "Index of the function"],
    ["name", (row) => row[NAME] || "\uffff", name, false, "Its name in the name section"],
    ["Wasm", (row) => -row[WASM], (row) => number(row[WASM]), true, "Bytes of WebAssembly"],
    ["base\u00adline", (row) => -(row[BASELINE] || 0), (row) => number(row[BASELINE]), true, "Bytes of baseline machine code"],
    ["opti\u00admized", (row) => -((row[OPTIMIZING] || 0) + (row[OSR] || 0)),
      (row) => number(row[OPTIMIZING]) + (row[OSR] ? ` +${number(row[OSR])}` : ""), true,
      "Bytes of optimized machine code, and of OSR entries"],
    ["base\u00adline CPU", (row) => -(row[CPU_BASELINE] || 0), (row) => cost(row[CPU_BASELINE]), true,
      "CPU time of the baseline compiler"],
    ["opti\u00admizing CPU", (row) => -((row[CPU_OPTIMIZING] || 0) + (row[CPU_OSR] || 0)),
      (row) => cost((row[CPU_OPTIMIZING] || 0) + (row[CPU_OSR] || 0)), true, "CPU time of the optimizing compiler, OSR entries included"],
    ["tier-ups", (row) => -(row[TIER_UPS] || 0), (row) => number(row[TIER_UPS]), true, "How often the optimizing tier was asked for"],
    ["OSR", (row) => -(row[ENTERED] || 0), (row) => number(row[ENTERED]), true, "How often a running loop went on in optimized code"],
    ["at the end", (row) => -state(row), (row) => phases[state(row)] + (row[GIVEN_UP] ? " (given up)" : ""), false,
      "What its calls ran in at the end"],
  ];
  // Most optimized programs have no names.
  const nameless = !functions.some((row) => row[NAME]);
  if (nameless) columns.splice(columns.findIndex((column) => column[2] === name), 1);
  functions.forEach((row, at) => { row.rank = at; row.text = `${row[INDEX]} ${row[NAME] ?? ""}`.toLowerCase(); });

  let sorted = { column: 0, up: true };
  let rows = [];
  let drawn = 0;
  let axis = "0 1";

  // Where the axis begins and ends, in microseconds. A logarithmic one begins with the first code, as 0 is infinitely far.
  const first = Math.max(1, functions.reduce((least, row) => Math.min(least, row[PHASES]?.[0] ?? least), end));
  const bounds = () => {
    const [from, to] = axis.split(" ").map(Number);
    return axis === "log" ? [first, Math.max(end, first + 1)] : [end * from, Math.max(end * to, 1)];
  };
  const position = (us) => {
    const [from, to] = bounds();
    return axis === "log" ? Math.log(Math.max(us, from) / from) / Math.log(to / from) : (us - from) / (to - from);
  };
  const instant = (at) => {
    const [from, to] = bounds();
    return axis === "log" ? from * Math.pow(to / from, at) : from + at * (to - from);
  };
  const percent = (at) => `${(Math.min(Math.max(at, 0), 1) * 100).toFixed(3)}%`;

  const bar = (row) => {
    const box = make("div", undefined, "bar");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", path(row));
    box.title = path(row);
    const steps = row[PHASES] || [];
    for (let at = 0; at < steps.length; at += 2) {
      const from = position(steps[at]);
      const to = position(at + 2 < steps.length ? steps[at + 2] : end);
      if (steps[at + 1] === 0 || from > 1 || to < 0) continue;
      const piece = make("i", undefined, `p${steps[at + 1]}`);
      piece.style.left = percent(from);
      piece.style.right = percent(1 - to);
      box.append(piece);
    }
    return box;
  };

  const chosen = () => {
    const wanted = byId("search").value.trim().toLowerCase();
    const only = byId("only").value;
    const all = functions.filter((row) =>
      (only === "all" || row.length > 3) && (only !== "hot" || row[TIER_UPS] || row[ENTERED]) && row.text.includes(wanted));
    const key = columns[sorted.column][1];
    const order = sorted.up ? 1 : -1;
    return all.sort((a, b) => {
      const [left, right] = [key(a), key(b)];
      return (left < right ? -order : left > right ? order : 0) || a.rank - b.rank;
    });
  };

  // A scale under or over bars: five moments of the axis.
  const scale = () => {
    const ticks = make("div", undefined, "ticks");
    for (const at of [0, 0.25, 0.5, 0.75, 1]) ticks.append(make("span", time(Math.round(instant(at)))));
    return ticks;
  };

  // The lanes: what happened to the module and its code, on the axis of the functions.
  const drawLanes = () => {
    const box = byId("lanes");
    box.replaceChildren();
    for (const lane of lanes) {
      const line = make("div", undefined, "lane");
      const track = make("div", undefined, "bar");
      track.setAttribute("role", "img");
      track.setAttribute("aria-label", lane.pieces.slice(0, 12).map((piece) => piece[3]).join("; "));
      for (const [start, stop, look, text] of lane.pieces) {
        const [from, to] = [position(start), position(stop)];
        if (from > 1 || to < 0) continue;
        const piece = make("i", undefined, `l${look}`);
        piece.style.left = percent(from);
        piece.style.right = percent(1 - to);
        piece.title = `${text}, from ${time(start)}`;
        track.append(piece);
      }
      line.append(make("span", lane.name), track);
      box.append(line);
    }
    if (lanes.length) {
      const line = make("div", undefined, "lane");
      line.append(make("span"), scale());
      box.append(line);
    }
  };

  const head = () => {
    const row = make("tr");
    columns.forEach(([title, , , numeric, meaning], at) => {
      const cell = make("th", undefined, numeric ? "number" : "");
      cell.scope = "col";
      const mark = sorted.column === at ? (sorted.up ? " \u2193" : " \u2191") : "";
      const button = make("button", title + mark);
      button.type = "button";
      button.title = meaning;
      button.onclick = () => {
        sorted = { column: at, up: sorted.column === at ? !sorted.up : true };
        draw();
        byId("functions").tHead.rows[0].cells[at].firstChild.focus();
      };
      if (sorted.column === at) cell.setAttribute("aria-sort", sorted.up === (at < (nameless ? 2 : 3)) ? "ascending" : "descending");
      cell.append(button);
      row.append(cell);
    });
    const cell = make("th", undefined, "time");
    cell.scope = "col";
    cell.append(make("span", " tier over time"));
    cell.append(scale());
    row.append(cell);
    byId("functions").tHead.replaceChildren(row);
  };

  const line = (row) => {
    const cells = make("tr");
    for (const [, , text, numeric] of columns) {
      if (text !== name) {
        cells.append(make("td", text(row), numeric ? "number" : "state"));
        continue;
      }
      const cell = make("td", undefined, "name");
      const inner = make("div", name(row));
      inner.title = name(row);
      cell.append(inner);
      cells.append(cell);
    }
    const cell = make("td", undefined, "time");
    cell.append(bar(row));
    cells.append(cell);
    return cells;
  };

  // Draws the next rows after those that are there, so that each is made once.
  const extend = (count) => {
    const body = document.createDocumentFragment();
    rows.slice(drawn, drawn + count).forEach((row) => body.append(line(row)));
    byId("functions").tBodies[0].append(body);
    drawn = Math.min(drawn + count, rows.length);
    byId("count").textContent = `${drawn.toLocaleString("en")} of ${rows.length.toLocaleString("en")} drawn`;
    const more = byId("more");
    more.hidden = drawn === rows.length;
    more.textContent = `Show ${next().toLocaleString("en")} more`;
  };
  const next = () => Math.min(rows.length - drawn, Math.min(drawn, 10 * PAGE));

  const draw = () => {
    rows = chosen();
    drawn = 0;
    drawLanes();
    head();
    byId("functions").tBodies[0].replaceChildren();
    extend(PAGE);
  };
  byId("controls").onsubmit = (event) => event.preventDefault();
  byId("search").oninput = draw;
  byId("only").onchange = draw;
  byId("axis").onchange = () => { axis = byId("axis").value; draw(); };
  byId("more").onclick = () => extend(next());
  const explain = (list, className, name) => {
    const item = make("li");
    item.append(make("i", undefined, className), name);
    byId(list).append(item);
  };
  phases.slice(1).forEach((phase, at) => explain("legend", `p${at + 1}`, phase));
  const seen = new Set(lanes.flatMap((lane) => lane.pieces.map((piece) => piece[2])));
  looks.forEach((look, at) => { if (seen.has(at)) explain("looks", `l${at}`, look); });
  if (!functions.some((row) => row.length > 3)) byId("only").value = "all";
  draw();
})();
