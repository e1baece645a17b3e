// Copy buttons. They stay hidden where there is no script to press them.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = button.firstElementChild;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = 'Copied';
    setTimeout(() => { label.textContent = 'Copy'; }, 1500);
  });
}

// Live lists: the page is fetched again every two seconds, while somebody looks at it.
for (const button of document.querySelectorAll('button[data-live]')) {
  const list = document.getElementById(button.dataset.live);
  const isOn = () => button.getAttribute('aria-pressed') === 'true';
  let underWay = false;
  const renew = async () => {
    if (underWay || document.hidden || !isOn()) return;
    underWay = true;
    try {
      const response = await fetch(location.href);
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const renewed = page.getElementById(list.id);
      if (response.ok && renewed && isOn()) replace(list, renewed);
      button.textContent = 'Live';
    } catch {
      button.textContent = 'Live: no answer';
    }
    underWay = false;
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(!isOn()));
    renew();
  });
  setInterval(renew, 2000);
}

// New content for a list, with the keyboard where it was.
function replace(list, renewed) {
  const id = list.contains(document.activeElement) ? document.activeElement.id : '';
  list.replaceChildren(...renewed.childNodes);
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}
