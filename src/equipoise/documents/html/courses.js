// Each participant's course, outcome by outcome. Values are printed numbers as the tables show them; this file draws
// them, moves among them by pointer and by keyboard, and says what is under the eye in a live region.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const number = (text) => (text === null ? NaN : Number(text.replace("\u2212", "-")));

  /** Round numbers between which all values lie, few enough to be read. */
  const ticks = (low, high) => {
    if (!(high > low)) { const pad = Math.abs(low) || 1; low -= pad / 2; high += pad / 2; }
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => x >= rough * 0.999);
    const found = [], decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (/25/.test(String(step)) ? 1 : 0));
    for (let k = Math.floor(low / step); k * step < high + step * 0.999; k += 1) found.push((k * step).toFixed(decimals));
    return found;
  };

  const decades = (low, high) => {
    const found = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k += 1) found.push(String(Number((10 ** k).toPrecision(1))));
    return found.length > 1 ? found : [found[0], String(Number(found[0]) * 10)];
  };

  /** Path of a course; where values are missing the line is broken off. */
  const path = (points) => {
    let text = "", broken = true;
    for (const [x, y] of points) {
      if (Number.isNaN(y)) { broken = true; continue; }
      text += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}${broken ? "h0" : ""}`; // a lone value is a dot
      broken = false;
    }
    return text;
  };

  /** What a person's value at a visit is, in a sentence. */
  const told = (words, data, outcome, person, visit) => {
    const [who, group, values, days] = person;
    const arm = data.groups.length > 1 ? `, ${data.groups[group].label}` : "";
    const day = days[visit] === null ? "" : ` (${words.day} ${days[visit]})`;
    const value = values[visit] === null ? words.missing : `${values[visit]} ${outcome.unit}`.trim();
    return `${who}${arm}. ${outcome.visits[visit]}${day}: ${value}.`;
  };

  if (typeof module !== "undefined") { module.exports = { ticks, decades, path, told, number }; return; }

  const made = (name, attributes = {}, inside = []) => {
    const svg = ["svg", "g", "path", "line", "text", "circle"].includes(name);
    const item = svg ? document.createElementNS(NS, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) item.setAttribute(key, value);
    for (const part of [].concat(inside)) item.append(part);
    return item;
  };

  const begin = (figure) => {
    const data = JSON.parse(figure.querySelector("script").textContent), words = data.words;
    const stage = figure.querySelector(".stage"), id = (name) => `${figure.id}:${name}`;
    const state = { outcome: 0, person: -1, visit: 0, shown: data.groups.map(() => true) };
    const choice = (name, label, options) => {
      const select = made("select", { id: id(name) }, options.map((text, i) => made("option", { value: i }, text)));
      return [select, made("p", {}, [made("label", { for: id(name) }, label), select])];
    };
    const [outcomes, outcomeLine] = choice("outcome", words.outcome, data.outcomes.map((item) => item.label));
    const [people, peopleLine] = choice("person", words.participant, []);
    const controls = made("div", { class: "controls" }, [outcomeLine, peopleLine]);
    const boxes = data.groups.map((group, i) => {
      const box = made("input", { type: "checkbox", id: id(`group-${i}`), checked: "" });
      box.addEventListener("change", () => { state.shown[i] = box.checked; draw(); });
      const key = made("svg", { width: 30, height: 10, "aria-hidden": "true" }, made("line", { x1: 0, x2: 30, y1: 5, y2: 5, stroke: group.colour, "stroke-width": 2.5, "stroke-dasharray": group.dashes.join(" ") }));
      return made("label", {}, [box, key, group.label]);
    });
    if (data.groups.length > 1) controls.append(made("fieldset", {}, [made("legend", {}, words.shown), ...boxes]));
    const picture = made("div", { class: "picture", tabindex: "0", role: "group", "aria-label": words.hint });
    const live = made("p", { class: "told", role: "status", "aria-live": "polite" }, words.hint);
    const numbers = made("details", { class: "numbers" }, made("summary", {}, words.numbers));
    stage.append(controls, picture, live, numbers);
    figure.hidden = false;

    const outcome = () => data.outcomes[state.outcome];
    const visible = () => outcome().people.map((person, i) => i).filter((i) => state.shown[outcome().people[i][1]]);
    const say = () => { live.textContent = state.person < 0 ? words.hint : told(words, data, outcome(), outcome().people[state.person], state.visit); };
    const firstVisit = (person) => Math.max(0, outcome().people[person][2].findIndex((value) => value !== null));

    const choose = (person, visit) => {
      state.person = person;
      state.visit = visit ?? (person < 0 ? 0 : firstVisit(person));
      people.value = String(person);
      mark();
      say();
    };

    let place, lines = [], dot;
    const mark = () => {
      lines.forEach((line, i) => line && line.setAttribute("class", i === state.person ? "course chosen" : "course"));
      if (state.person < 0 || !lines[state.person]) { dot.setAttribute("visibility", "hidden"); return; }
      lines[state.person].parentNode.append(lines[state.person]);
      const [x, y] = place(state.visit, outcome().people[state.person][2][state.visit]);
      dot.setAttribute("visibility", Number.isNaN(y) ? "hidden" : "visible");
      if (!Number.isNaN(y)) { dot.setAttribute("cx", x); dot.setAttribute("cy", y); }
    };

    const draw = () => {
      const item = outcome(), width = Math.max(280, Math.min(picture.clientWidth || 720, 800)), height = width < 480 ? 300 : 360;
      const left = 56, right = 28, top = 12, bottom = 32;
      const all = [...item.people.flatMap((person) => person[2]), ...item.means.flat()].map(number).filter((x) => !Number.isNaN(x));
      const low = Math.min(...all), high = Math.max(...all);
      const marks = item.log ? decades(low, high) : ticks(low, high), scale = item.log ? Math.log10 : (x) => x;
      const y0 = scale(Number(marks[0])), y1 = scale(Number(marks[marks.length - 1]));
      const x0 = item.places[0], x1 = item.places[item.places.length - 1];
      const across = (x) => left + ((x - x0) / (x1 - x0 || 1)) * (width - left - right);
      const up = (value) => height - bottom - ((scale(value) - y0) / (y1 - y0)) * (height - top - bottom);
      place = (visit, text) => [across(item.places[visit]), text === null ? NaN : up(number(text))];
      const svg = made("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
      marks.forEach((text) => {
        const y = up(Number(text));
        svg.append(made("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }), made("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, text.replace("-", "\u2212")));
      });
      let until = -Infinity;
      item.visits.forEach((label, i) => {
        const x = across(item.places[i]), half = label.length * 3.8, last = i === item.visits.length - 1;
        svg.append(made("line", { class: "tick", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 5 }));
        const at = Math.min(Math.max(x, half), width - half);
        const room = last || i === 0 || x + half < across(x1) - item.visits[item.visits.length - 1].length * 7.6;
        if (at - half > until + 4 && room) {
          svg.append(made("text", { x: at, y: height - bottom + 20, "text-anchor": "middle" }, label));
          until = at + half;
        }
      });
      const drawn = made("g");
      lines = item.people.map(([, group, values], i) => {
        if (!state.shown[group]) return null;
        const style = data.groups[group];
        const line = made("path", { class: "course", d: path(values.map((text, v) => place(v, text))), stroke: style.colour, "stroke-dasharray": style.dashes.join(" ") });
        line.addEventListener("click", () => choose(i));
        drawn.append(line);
        return line;
      });
      svg.append(drawn);
      item.means.forEach((means, group) => {
        if (!state.shown[group]) return;
        const style = data.groups[group];
        svg.append(made("path", { class: "mean", d: path(means.map((text, v) => place(v, text))), stroke: style.colour, "stroke-dasharray": style.dashes.join(" ") }));
      });
      dot = made("circle", { class: "dot", r: 6, visibility: "hidden" });
      svg.append(dot);
      svg.addEventListener("pointermove", (event) => {
        const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
        let best = [-1, 0, 400];
        item.people.forEach(([, group, values], i) => {
          if (state.shown[group]) values.forEach((text, v) => {
            const [px, py] = place(v, text), far = (px - x) ** 2 + (py - y) ** 2;
            if (far < best[2]) best = [i, v, far];
          });
        });
        if (best[0] >= 0 && (best[0] !== state.person || best[1] !== state.visit)) choose(best[0], best[1]);
      });
      picture.replaceChildren(svg, made("p", { class: "axis" }, `${item.label}${item.unit ? `, ${item.unit}` : ""}${item.log ? `, ${words.log}` : ""}. ${words.means}`));
      people.replaceChildren(made("option", { value: -1 }, words.nobody), ...visible().map((i) => made("option", { value: i }, item.people[i][0])));
      if (state.person >= item.people.length || (state.person >= 0 && !lines[state.person])) state.person = -1;
      people.value = String(state.person);
      mark();
      say();
      const head = made("tr", {}, [made("th", { scope: "col" }, words.participant), ...item.visits.map((label) => made("th", { scope: "col", class: "right" }, label))]);
      const bodies = data.groups.map((group, g) => made("tbody", {}, [
        ...(data.groups.length > 1 ? [made("tr", { class: "group" }, made("th", { scope: "rowgroup", colspan: item.visits.length + 1 }, group.label))] : []),
        ...item.people.filter((person) => person[1] === g).map(([who, , values]) => made("tr", {}, [made("th", { scope: "row" }, who), ...values.map((text) => made("td", { class: "right" }, text ?? "\u2013"))])),
      ]));
      const table = made("table", { class: "long" }, [made("caption", {}, `${item.label}${item.unit ? `, ${item.unit}` : ""}`), made("thead", {}, head), ...bodies]);
      const open = numbers.open;
      numbers.replaceChildren(numbers.firstChild, made("div", { class: "table" }, made("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words.numbers }, table)));
      numbers.open = open;
    };

    outcomes.addEventListener("change", () => { state.outcome = Number(outcomes.value); state.visit = 0; draw(); });
    people.addEventListener("change", () => choose(Number(people.value)));
    picture.addEventListener("keydown", (event) => {
      const order = visible(), at = order.indexOf(state.person), last = outcome().visits.length - 1;
      const moves = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
      if (event.key === "Escape") { choose(-1); return; }
      if (!moves[event.key] || !order.length) return;
      event.preventDefault();
      const [down, along] = moves[event.key];
      if (state.person < 0) { choose(order[down < 0 ? order.length - 1 : 0]); return; }
      if (down) choose(order[(at + down + order.length) % order.length], state.visit);
      else choose(state.person, Math.min(last, Math.max(0, state.visit + along)));
    });
    addEventListener("resize", draw);
    draw();
  };

  document.querySelectorAll("figure.courses").forEach(begin);
})();
