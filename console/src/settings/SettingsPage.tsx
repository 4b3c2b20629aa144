import { Select } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Fragment, Suspense, useEffect, useRef } from 'react';
import { Navigate, NavLink, useNavigate, useParams } from 'react-router';
import { isAtLeast, useMay, useMe } from '../app/hooks';
import { NeedsPlan } from '../billing/NeedsPlan';
import { usePlans } from '../billing/queries';
import { Page } from '../ui/Panel';
import { Loading } from '../ui/States';
import classes from './Settings.module.css';
import { GROUPS, SECTIONS } from './sections';

/** The sections that work while a company is suspended. */
const WITHOUT_PAY = ['profile', 'security', 'company', 'plan', 'privacy', 'sso'];

/** One's own settings and the company's, as far as one's role reaches. */
export default function SettingsPage() {
  const { section } = useParams();
  const { role } = useMe();
  const may = useMay();
  const isSuspended = usePlans().data?.in_force?.standing === 'suspended';
  const open = SECTIONS.filter(
    (each) =>
      isAtLeast(role, each.least) &&
      (!each.needs || may(each.needs)) &&
      (!isSuspended || WITHOUT_PAY.includes(each.at)),
  );
  const shown = open.find((each) => each.at === section);
  const groups = GROUPS.map(({ title, holds }) => ({
    title,
    sections: holds.flatMap((at) => open.filter((each) => each.at === at)),
  })).filter((group) => group.sections.length > 0);
  const first = groups[0]?.sections[0];
  const nav = useRef<HTMLElement>(null);
  const navigate = useNavigate();
  // In a row of so many nobody finds anything with a thumb.
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  // On a small screen they are one row, in which the one that is open may lie out of sight.
  useEffect(() => {
    if (section)
      nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [section]);
  if (!shown) return first ? <Navigate replace to={`/settings/${first.at}`} /> : null;
  return (
    <Page title="Settings">
      <div className={classes.split}>
        {phone && (
          <Select
            className={classes.choice}
            aria-label="Section"
            allowDeselect={false}
            maxDropdownHeight={420}
            data={groups.map(({ title, sections }) => ({
              group: title,
              items: sections.map((each) => ({ value: each.at, label: each.label })),
            }))}
            value={shown.at}
            onChange={(at) => at && navigate(`/settings/${at}`)}
          />
        )}
        <nav ref={nav} className={classes.sections} aria-label="Sections" hidden={phone}>
          {groups.map((group) => (
            <Fragment key={group.title}>
              <span className={classes.group}>{group.title}</span>
              {group.sections.map((each) => (
                <NavLink key={each.at} to={`/settings/${each.at}`} className={classes.section}>
                  {each.label}
                </NavLink>
              ))}
            </Fragment>
          ))}
        </nav>
        <div className={classes.body}>
          <p className={classes.hint}>{shown.hint}</p>
          {shown.feature && <NeedsPlan feature={shown.feature} />}
          <Suspense fallback={<Loading />}>
            <shown.panel />
          </Suspense>
        </div>
      </div>
    </Page>
  );
}
