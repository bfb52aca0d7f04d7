"use strict";
(() => {
  for (const links of document.querySelectorAll(".plots .links")) {
    const button = document.createElement("button"), source = links.querySelector("a");
    button.type = "button";
    button.textContent = "PNG";
    button.addEventListener("click", () => {
      const picture = new Image();
      picture.addEventListener("load", () => {
        const canvas = document.createElement("canvas"), link = document.createElement("a");
        canvas.width = 2 * picture.width;
        canvas.height = 2 * picture.height;
        canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
        link.href = canvas.toDataURL("image/png");
        link.download = source.download.replace(/svg$/, "png");
        link.click();
      });
      picture.src = source.href;
    });
    source.after(" ", button);
  }
})();
