import { Suspense } from 'react';
import { Navigate, NavLink, useParams } from 'react-router';
import { isAtLeast, useMe } from '../app/hooks';
import { Page } from '../ui/Panel';
import { Loading } from '../ui/States';
import classes from './Settings.module.css';
import { SECTIONS } from './sections';

/** One's own settings and the company's, as far as one's role reaches. */
export default function SettingsPage() {
  const { section } = useParams();
  const { role } = useMe();
  const open = SECTIONS.filter((each) => isAtLeast(role, each.least));
  const shown = open.find((each) => each.at === section);
  const [first] = open;
  if (!shown) return first ? <Navigate replace to={`/settings/${first.at}`} /> : null;
  return (
    <Page title="Settings">
      <div className={classes.split}>
        <nav className={classes.sections} aria-label="Sections">
          {open.map((each) => (
            <NavLink key={each.at} to={`/settings/${each.at}`} className={classes.section}>
              {each.label}
            </NavLink>
          ))}
        </nav>
        <div className={classes.body}>
          <p className={classes.hint}>{shown.hint}</p>
          <Suspense fallback={<Loading />}>
            <shown.panel />
          </Suspense>
        </div>
      </div>
    </Page>
  );
}
