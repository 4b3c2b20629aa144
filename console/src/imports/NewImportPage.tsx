import { Button, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFileSpreadsheet } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { notifyFailure } from '../ui/notify';
import { Page, PageBody } from '../ui/Panel';
import classes from './Imports.module.css';
import { Mapper } from './Mapper';

// Some systems call a CSV file by the name of the program that opens it, or nothing at all.
const TYPES = {
  'text/csv': ['.csv', '.tsv', '.txt'],
  'application/vnd.ms-excel': ['.csv'],
  'text/plain': ['.txt', '.csv', '.tsv'],
  'text/tab-separated-values': ['.tsv'],
};

/** Choose a file, see how it is read, correct the columns, start. */
export default function NewImportPage() {
  const [file, setFile] = useState<File | null>(null);
  return (
    <Page
      title="New import"
      actions={
        <Button variant="default" component={Link} to="/imports">
          Past imports
        </Button>
      }
    >
      <PageBody>
        {file ? (
          <Mapper file={file} onOther={() => setFile(null)} />
        ) : (
          <Dropzone
            unstyled
            className={classes.drop}
            accept={TYPES}
            multiple={false}
            inputProps={{ 'aria-label': 'CSV file' }}
            aria-label="Drop a CSV file here or choose one"
            onDrop={(files) => setFile(files[0] ?? null)}
            onReject={() => notifyFailure('This file cannot be imported', new Error('Choose a CSV file.'))}
          >
            <IconFileSpreadsheet size={34} stroke={1.4} color="var(--rs-accent)" aria-hidden />
            <Text fw={600} size="md" mt="sm">
              Drop a CSV file here, or click to choose one
            </Text>
            <Text className="muted" mt={4}>
              Encoding, delimiter and columns are recognised. Nothing is saved before you start.
            </Text>
          </Dropzone>
        )}
      </PageBody>
    </Page>
  );
}
