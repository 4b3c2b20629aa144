import { Anchor, Button } from '@mantine/core';
import { IconFileImport, IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Import } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { Age } from '../ui/Age';
import { Ago } from '../ui/Elapsed';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import classes from './Imports.module.css';
import { useImports } from './queries';
import { STATE_TONES, STATE_WORDS } from './words';

function Row({ one }: { one: Import }) {
  return (
    <tr>
      <td className="truncate">
        <Anchor component={Link} to={`/imports/${one.id}`} c="inherit" fw={600}>
          {one.filename}
        </Anchor>
      </td>
      <td>
        <ToneBadge tone={STATE_TONES[one.state]}>{STATE_WORDS[one.state]}</ToneBadge>
      </td>
      <td className={classes.number}>{one.rows?.toLocaleString()}</td>
      <td className={`${classes.number} ${classes.hideOnPhone}`}>{one.created.toLocaleString()}</td>
      <td className={`${classes.number} ${classes.hideOnPhone}`}>{one.updated.toLocaleString()}</td>
      <td className={`${classes.number} ${classes.hideOnPhone}`}>{one.failed.toLocaleString()}</td>
      <td className={`muted ${classes.hideOnPhone}`}>
        <Ago at={one.created_at} />
      </td>
    </tr>
  );
}

/** The imports so far. */
export default function ImportsPage() {
  const query = useImports();
  const imports = query.data?.data ?? [];
  const start = (
    <Button component={Link} to="/imports/new" leftSection={<IconPlus size={16} />}>
      New import
    </Button>
  );
  return (
    <Page
      title="Import"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={imports.length > 0 && start}
    >
      <PageBody>
        {query.isPending && <Loading />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && imports.length === 0 && (
          <Empty icon={<IconFileImport size={20} />} title="Nothing imported yet" action={start}>
            Bring contacts from HubSpot, Salesforce, Google, Pipedrive or any CSV file. An import can be
            undone as a whole.
          </Empty>
        )}
        {imports.length > 0 && (
          <Panel title="Past imports">
            <div className={classes.wide}>
              <table className={classes.columns}>
                <thead>
                  <tr>
                    <th>File</th>
                    <th>State</th>
                    <th className={classes.number}>Rows</th>
                    <th className={`${classes.number} ${classes.hideOnPhone}`}>Created</th>
                    <th className={`${classes.number} ${classes.hideOnPhone}`}>Updated</th>
                    <th className={`${classes.number} ${classes.hideOnPhone}`}>Failed</th>
                    <th className={classes.hideOnPhone}>Started</th>
                  </tr>
                </thead>
                <tbody>
                  {imports.map((one) => (
                    <Row key={one.id} one={one} />
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        )}
      </PageBody>
    </Page>
  );
}
