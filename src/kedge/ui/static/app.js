"use strict";
(() => {
  // MLflow's client prints addresses of its own pages at the root.
  if (location.pathname === "/" && /^#\/(experiments|models|prompts)/.test(location.hash)) location.replace("/mlflow/" + location.hash);
  const root = document.documentElement;
  const kept = (() => { try { return localStorage.getItem("kedge-theme"); } catch { return null; } })();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();

  // Charts ---------------------------------------------------------------------------------------------------------
  const marks = (list, isTime) => ({
    hooks: { draw: [(plot) => {
      const { ctx } = plot, { top, height, left, width } = plot.bbox;
      ctx.save();
      ctx.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
      for (const mark of list) {
        const x = Math.round(plot.valToPos(mark.x, "x", true));
        if (x < left || x > left + width) continue;
        ctx.strokeStyle = ctx.fillStyle = colour(mark.tone === "alert" ? "bad" : "accent");
        ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath(); ctx.moveTo(x, top); ctx.lineTo(x, top + height); ctx.stroke();
        const room = left + width - x > ctx.measureText(mark.label).width + 8 * devicePixelRatio;
        ctx.textAlign = room ? "left" : "right";
        ctx.fillText(mark.label, x + (room ? 4 : -4) * devicePixelRatio, top + (mark.tone === "alert" ? 24 : 12) * devicePixelRatio);
      }
      ctx.restore();
    }] },
  });
  const draw = (element) => {
    const chart = JSON.parse(element.dataset.chart);
    element.replaceChildren();
    if (!chart.x.length || typeof uPlot === "undefined") { element.textContent = "No values yet."; return; }
    const isTime = chart.kind === "time", few = chart.x.length < 80;
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: "11px system-ui, sans-serif" };
    const right = chart.series.some((each) => each.axis === "y2");
    // A single point gets room about it: uPlot would spread an axis of years around one minute.
    const alone = chart.x[0] === chart.x.at(-1), room = isTime ? 1800 : 1;
    const about = (plot, low, high) => alone ? [chart.x[0] - room, chart.x[0] + room] : [low, high];
    const whole = !isTime && chart.x.every(Number.isInteger) ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6] } : {};
    const shown = (plot, value) => value == null ? "-" : Number(value.toPrecision(4)).toLocaleString("en");
    const options = {
      width: element.clientWidth - 24, height: 200, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      scales: { x: { time: isTime, range: about } }, plugins: [marks(chart.marks || [], isTime)], cursor: { sync: { key: "kedge" } },
      axes: [{ ...axis, ...whole }, { ...axis, size: 56 }, ...(right ? [{ ...axis, scale: "y2", side: 1, size: 56, grid: { show: false } }] : [])],
      series: [{ label: isTime ? "time" : "x" }, ...chart.series.map((each, i) => ({
        label: each.label, scale: each.axis, stroke: colour("c" + (i % 3 + 1)), width: 2, value: shown, spanGaps: true, points: { show: few, size: 5 } }))],
    };
    new uPlot(options, [chart.x, ...chart.series.map((each) => each.values)], element);
  };
  const drawAll = (within) => within.querySelectorAll(".chart").forEach(draw);

  // Keyboard -------------------------------------------------------------------------------------------------------
  let awaiting = false;
  const typing = (target) => /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  document.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (awaiting) {
      awaiting = false;
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.href = link.href; }
      return;
    }
    if (event.key === "g") { awaiting = true; setTimeout(() => { awaiting = false; }, 1200); }
    if (event.key === "/") { event.preventDefault(); document.querySelector(".search input").focus(); }
    if (event.key === "?") document.getElementById("keys").showModal();
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
  document.addEventListener("change", (event) => { if (event.target.matches(".filter select")) event.target.form.submit(); });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".theme").addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      try { localStorage.setItem("kedge-theme", root.dataset.theme); } catch { /* private window */ }
      drawAll(document);
    });
    drawAll(document);
    document.body.addEventListener("htmx:afterSettle", () => drawAll(document));
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      // While somebody reads a selection or the page is hidden, nothing moves under their eyes.
      if (document.hidden || String(getSelection())) event.preventDefault();
    });
    let wide = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== wide) { wide = innerWidth; drawAll(document); } });
  });
})();
