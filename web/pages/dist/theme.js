{let t=null;try{t=localStorage.getItem("roomring.theme")}catch{}(t==="light"||t==="dark")&&(document.documentElement.dataset.theme=t)}
