// The order of what a search finds, on the search page: the page that teaches a word first, the reference last.
// The page holds which page teaches which word (sepbook_search.py, from the glossary); Search, Stemmer are Sphinx's.

const REFERENCE = /^book\/appendix\/(api|references)$/;
const stemmer = new Stemmer();
const stem = (words) => words.toLowerCase().match(/[\p{L}\p{N}]+/gu)?.map((word) => stemmer.stemWord(word)).join(" ") ?? "";
const taught = new Map(JSON.parse(document.querySelector("#sepbook-teaches").textContent).map(([word, ...page]) => [stem(word), page]));

/** How much a result is worth: Sphinx's own number, and what kind of page it is. */
function worth([docname, title, , descr, score], asked) {
  const named = stem(title) === asked ? 200 : ` ${stem(title)} `.includes(` ${asked} `) ? 20 : 0;
  const glossary = docname === "book/appendix/glossary" && taught.has(asked) ? 100 : 0;
  const last = REFERENCE.test(docname) || docname === "genindex" ? -1000 : 0;
  return score + named + glossary + last - (descr ? 10 : 0) - (docname.startsWith("notebooks/") ? 5 : 0);
}

/** Sphinx's results, worst first, in our order; the page that teaches the words stands at the end, which is shown first. */
export function arrange(results, query, { docnames, titles, filenames }) {
  const asked = stem(query);
  const [page, anchor] = taught.get(asked) ?? [];
  const at = docnames.indexOf(page);
  const rest = results.filter(([docname, , where]) => docname !== page || (where && where !== anchor));
  rest.sort((a, b) => worth(a, asked) - worth(b, asked));
  return at < 0 ? rest : [...rest, [page, titles[at], anchor, null, 1000, filenames[at]]];
}

const search = Search._performSearch;
Search._performSearch = (query, ...rest) => arrange(search(query, ...rest), query, Search._index);

/** The text from which a snippet is cut: the article, without what surrounds it. */
Search.htmlToText = (markup, anchor) => {
  const article = new DOMParser().parseFromString(markup, "text/html").querySelector("article.bd-article");
  if (!article) return "";
  const part = (anchor && article.querySelector(`#${CSS.escape(anchor.slice(1))}`)) || article;
  for (const each of part.querySelectorAll(".headerlink, script, style, h1, .sepbook-head, .sepbook-lab, .sepbook-player, .sepbook-explorer")) each.remove();
  return part.textContent.replace(/\s+/g, " ");
};
