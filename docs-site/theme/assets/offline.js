// Search runs in a worker, and a browser starts none for a page that was opened from a folder.
// There, a frame without a page of its own takes the worker's place. Elsewhere this file does nothing.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const scope = this.frame.contentWindow;
      // Firefox would replace a frame's first document; one that was written stays.
      scope.document.open();
      scope.document.write("<!doctype html><title>search</title><body></body>");
      scope.document.close();
      // As from a worker: later, and a copy.
      scope.postMessage = (given) => {
        const event = new MessageEvent("message", { data: structuredClone(given) });
        setTimeout(() => {
          this.dispatchEvent(event);
          this.onmessage?.(event);
        });
      };
      const script = scope.document.createElement("script");
      this.ready = new Promise((loaded) => script.addEventListener("load", loaded));
      script.addEventListener("error", () => this.onerror?.(new ErrorEvent("error", { message: `${address}: not loaded` })));
      script.src = new URL(address, location).href;
      scope.document.body.append(script);
    }

    postMessage(given) {
      const data = structuredClone(given);
      this.ready.then(() => {
        setTimeout(() => {
          const scope = this.frame.contentWindow;
          scope?.dispatchEvent(new scope.MessageEvent("message", { data }));
        });
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
}
