(() => {
  const folded = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => { opened = [...folded()]; opened.forEach((item) => { item.open = true; }); });
  addEventListener("afterprint", () => { opened.forEach((item) => { item.open = false; }); opened = []; });
  const reveal = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let item = place; item; item = item.parentElement) if (item.tagName === "DETAILS") item.open = true;
    if (place) place.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
