// Figures as people read them. Unknown is a dash, never 0; a line does not break between a figure and its unit.
import { locale, t } from './i18n.js';

const DASH = '–';

const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));

export function count(value) {
  return known(value) ? Number(value).toLocaleString(locale()) : DASH;
}

export function number(value, digits = 1) {
  if (!known(value)) return DASH;
  return Number(value).toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(share, digits = 1) {
  return known(share) ? `${number(share * 100, digits)}\u00a0%` : DASH;
}

export function hours(value) {
  if (!known(value)) return DASH;
  return `${number(value, Math.abs(value) < 100 ? 1 : 0)}\u00a0${t('h')}`;
}

// A span that may be long: 3 h, 2 d 5 h.
export function span(hours) {
  if (!known(hours)) return DASH;
  const whole = Math.round(hours);
  if (Math.abs(whole) < 48) return `${whole} ${t('h')}`;
  const days = Math.trunc(whole / 24);
  return `${days} ${t('d')} ${Math.abs(whole % 24)} ${t('h')}`;
}

// Times of parcels are shown in China's time, where they happen.
const CHINA = 'Asia/Shanghai';

export function time(iso) {
  if (!iso) return DASH;
  return new Date(iso).toLocaleString('sv-SE', { timeZone: CHINA, dateStyle: 'short', timeStyle: 'short' });
}

export function day(iso) {
  return iso ? String(iso).slice(0, 10) : DASH;
}

export function shortDay(iso) {
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString(locale(), { month: 'short', day: 'numeric', timeZone: 'UTC' });
}

export function today(hoursAgo = 0) {
  return new Date(Date.now() - hoursAgo * 3600e3).toLocaleDateString('sv-SE', { timeZone: CHINA });
}

export function daysBefore(date, days) {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - days);
  return day.toISOString().slice(0, 10);
}

// All days from one to another, both included.
export function daysFrom(first, last) {
  const days = [];
  for (let day = first; day <= last; day = daysBefore(day, -1)) days.push(day);
  return days;
}
