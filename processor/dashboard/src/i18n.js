// The two languages. Which one: `?lang=`, else what the browser prefers.
import { get } from './url.js';
import en from './text/en.js';
import zh from './text/zh.js';

const TEXTS = { en, zh };

export const LANGUAGES = [['zh', '中文'], ['en', 'English']];

export function language() {
  const asked = get('lang');
  if (asked in TEXTS) return asked;
  return navigator.languages.find((tag) => /^(zh|en)\b/.test(tag))?.slice(0, 2) ?? 'en';
}

export function locale() {
  return language() === 'zh' ? 'zh-CN' : 'en-GB';
}

// A text with its {places} filled in.
export function t(key, values = {}) {
  const text = TEXTS[language()][key] ?? TEXTS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

export function has(key) {
  return key in TEXTS.en;
}

// The word for a name of an open set; the name itself if a newer program has added it.
export function word(set, name) {
  const key = `${set}.${name}`;
  return has(key) ? t(key) : name;
}
