// Runs before the first paint so that a chosen theme never flashes; a file, not inline, so that a strict
// content security policy can stay strict.
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem('omium.theme'); } catch { /* storage refused: follow the system */ }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
