"use strict";
// All that a script adds: a reading where the pointer is on a chart, and tables that sort. Without it nothing is missing.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

  const number = (value) => (value >= 1000 ? Math.round(value) : Number(value.toPrecision(3))).toLocaleString("en");
  const size = (bytes) => {
    let unit = 0;
    while (Math.round(bytes) >= 1024 && unit < UNITS.length - 1) { bytes /= 1024; unit += 1; }
    return `${number(bytes)}\u00a0${UNITS[unit]}`;
  };
  const duration = (seconds) => (seconds >= 1 || !seconds ? `${number(seconds)}\u00a0s` : `${number(seconds * 1e3)}\u00a0ms`);

  const element = (name, attributes, parent) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return parent.appendChild(made);
  };
  const points = (path) => (path.getAttribute("d").match(/\d+,\d+/g) || []).map((pair) => pair.split(",").map(Number));
  const nearest = (line, x) => {
    let low = 0, high = line.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (line[middle][0] < x) low = middle; else high = middle; }
    return x - line[low][0] < line[high][0] - x ? line[low] : line[high];
  };

  for (const plot of document.querySelectorAll(".plot")) {
    const { seconds, highest, grid } = Object.fromEntries(Object.entries(plot.dataset).map(([key, value]) => [key, Number(value)]));
    const picture = plot.querySelector("svg");
    const lines = [...picture.querySelectorAll("path.line")].map(points).reverse();
    const readings = [...plot.parentElement.querySelectorAll(".reading")];
    const said = readings.map((reading) => reading.textContent);
    if (!lines.length || !lines[0].length) continue;
    const bottom = Number(picture.getAttribute("height")) - 24;
    const rule = element("line", { class: "rule", y1: 12, y2: bottom, visibility: "hidden" }, picture);
    const moment = element("text", { class: "moment", y: 10, visibility: "hidden" }, picture);
    let at = 0;

    const show = (x) => {
      at = nearest(lines[0], Math.min(Math.max(x, 0), grid))[0];
      const share = `${(at / grid) * 100}%`;
      for (const [key, value] of [["x1", share], ["x2", share], ["visibility", "visible"]]) rule.setAttribute(key, value);
      moment.setAttribute("x", share);
      moment.setAttribute("text-anchor", at < grid * 0.1 ? "start" : at > grid * 0.9 ? "end" : "middle");
      moment.setAttribute("visibility", "visible");
      moment.textContent = duration((at / grid) * seconds);
      lines.forEach((line, index) => {
        if (line.length) readings[index].textContent = size((1 - nearest(line, at)[1] / grid) * highest);
      });
    };
    const hide = () => {
      for (const each of [rule, moment]) each.setAttribute("visibility", "hidden");
      readings.forEach((reading, index) => { reading.textContent = said[index]; });
    };
    const follow = (event) => {
      const box = plot.getBoundingClientRect();
      show(((event.clientX - box.left) / box.width) * grid);
    };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerdown", follow);
    plot.addEventListener("pointerleave", hide);
    plot.tabIndex = 0;
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) { event.preventDefault(); show(at + (step * grid) / 60); }
    });
    plot.addEventListener("blur", hide);
  }

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.key === undefined ? cell.textContent.trim() : Number(cell.dataset.key);
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const first = heading.classList.contains("number") ? "descending" : "ascending";
        const order = heading.getAttribute("aria-sort") === first ? { ascending: "descending", descending: "ascending" }[first] : first;
        const sign = order === "ascending" ? 1 : -1;
        headings.forEach((each) => each.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", order);
        const body = table.tBodies[0];
        const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
        body.append(...[...body.rows].sort((a, b) => sign * compare(key(a, column), key(b, column))));
      });
    });
  }
})();
