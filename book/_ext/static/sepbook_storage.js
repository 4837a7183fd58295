// Where the browser refuses storage, the theme, the tabs and our own scripts write into the memory of the page instead.
// It stands in the head of every page, before the first script that asks for storage.
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].getItem(name);
  } catch {
    const kept = new Map();
    const value = {
      forgets: true, // what is written here is gone when the page is left
      get length() {
        return kept.size;
      },
      key: (at) => [...kept.keys()][at] ?? null,
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, text) => void kept.set(String(key), String(text)),
      removeItem: (key) => void kept.delete(String(key)),
      clear: () => kept.clear(),
    };
    Object.defineProperty(window, name, { value, configurable: true });
  }
}
