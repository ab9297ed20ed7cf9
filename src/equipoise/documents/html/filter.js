// Filters above long listings: words anywhere in a row, and one choice for each column of few words. Without this
// script, and on paper, every row stands there.
(() => {
  /** The columns that are worth a choice: few different words, more than one. */
  const choices = (rows, most = 12) => {
    const columns = rows.length ? rows[0].length : 0, found = [];
    for (let column = 1; column < columns; column += 1) {
      const words = [...new Set(rows.map((cells) => cells[column]))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
      if (words.length > 1 && words.length <= most && words.length < rows.length / 2) found.push([column, words]);
    }
    return found;
  };

  /** Whether a row has the words somewhere, in any case, and the chosen word in each chosen column. */
  const matches = (cells, words, chosen) =>
    words.toLowerCase().split(/\s+/).every((word) => cells.some((cell) => cell.toLowerCase().includes(word))) &&
    chosen.every(([column, word]) => word === null || cells[column] === word);

  if (typeof module !== "undefined") { module.exports = { choices, matches }; return; }

  const made = (name, attributes = {}, inside = []) => {
    const item = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) item.setAttribute(key, value);
    for (const part of [].concat(inside)) item.append(part);
    return item;
  };

  const begin = (listing) => {
    const table = listing.querySelector("table"), words = JSON.parse(listing.dataset.filter);
    const rows = [...table.querySelectorAll("tbody tr:not(.group)")];
    const cells = rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    const headers = [...table.querySelectorAll("thead tr:last-child > *")].map((cell) => cell.textContent.trim());
    const id = (name) => `${listing.id}:${name}`;
    const search = made("input", { type: "search", id: id("search"), autocomplete: "off" });
    const selects = choices(cells).map(([column, all]) => {
      const options = [made("option", { value: "" }, words.any), ...all.map((word, i) => made("option", { value: i }, word || "\u2013"))];
      return [column, all, made("select", { id: id(`column-${column}`) }, options)];
    });
    const reset = made("button", { type: "button" }, words.reset);
    const count = made("p", { class: "count", role: "status", "aria-live": "polite" });
    const line = (label, item) => made("p", {}, [made("label", { for: item.id }, label), item]);
    const show = () => {
      const chosen = selects.map(([column, all, select]) => [column, select.value === "" ? null : all[Number(select.value)]]);
      let shown = 0;
      rows.forEach((row, i) => { row.hidden = !matches(cells[i], search.value, chosen); shown += !row.hidden; });
      count.textContent = words.count.replace("{shown}", shown).replace("{all}", rows.length);
    };
    reset.addEventListener("click", () => { search.value = ""; selects.forEach(([, , select]) => { select.value = ""; }); show(); search.focus(); });
    search.addEventListener("input", show);
    selects.forEach(([, , select]) => select.addEventListener("change", show));
    const controls = made("div", { class: "controls", role: "search", "aria-label": `${words.label}: ${listing.querySelector("summary").textContent}` }, [
      line(words.search, search), ...selects.map(([column, , select]) => line(headers[column], select)), made("p", {}, reset),
    ]);
    listing.querySelector("summary").after(controls, count);
    show();
  };

  document.querySelectorAll("details.listing[data-filter]").forEach(begin);
})();
