import { Composer } from './Composer';
import { openDraft, useOpenDraft } from './compose';
import classes from './Inbox.module.css';

/** The mail that is being written, in a corner of whatever room one is in. */
export default function ComposeDock() {
  const draft = useOpenDraft();
  if (!draft) return null;
  return (
    <div className={classes.dock}>
      <Composer key={draft} draftId={draft} onClose={() => openDraft(null)} />
    </div>
  );
}
