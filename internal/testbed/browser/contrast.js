(() => {
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  // rgba reads any CSS colour, color-mix() and the system's included.
  const rgba = color => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = rgb => {
    const [r, g, b] = rgb.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = document.createElement('div');
  canvas.style.color = 'Canvas';
  document.body.append(canvas);
  const page = rgba(getComputedStyle(canvas).color);
  canvas.remove();
  const behind = e => e ? over(rgba(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : page;
  const opacity = e => e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1;
  const faint = [];
  const judge = (e, style, text) => {
    const back = behind(e);
    const [r, g, b, a] = rgba(style.color);
    const front = over([r, g, b, a * opacity(e)], back);
    const [low, high] = [luminance(front), luminance(back)].sort((x, y) => x - y);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) {
      const css = c => `rgb(${c.slice(0, 3).map(Math.round)})`;
      faint.push(`${ratio.toFixed(2)} ${css(front)} on ${css(back)} ${e.tagName.toLowerCase()}.${e.className}#${e.id}: ${text.trim().slice(0, 40)}`);
    }
  };
  for (const e of document.body.querySelectorAll('*')) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.disabled || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName)) continue;
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('').trim();
    if (text) judge(e, getComputedStyle(e), text);
    if (e.matches('input, textarea')) {
      if (e.value) judge(e, getComputedStyle(e), e.value);
      if (e.placeholder) judge(e, { ...pseudo(e), fontSize: '14px', fontWeight: '400' }, e.placeholder);
    }
  }
  function pseudo(e) { return { color: getComputedStyle(e, '::placeholder').color }; }
  return faint;
})()
