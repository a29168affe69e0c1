-- The masking of the comparison by Flink's own functions; there is no HMAC among them, so the key stands in front of the value.
SELECT JSON_OBJECT(
  KEY 'customerId' VALUE SUBSTRING(SHA256(CONCAT('{key}', customerId)), 1, 32),
  KEY 'email' VALUE REGEXP_REPLACE(email, '^(.)[^@]*', '$1***'),
  KEY 'ssn' VALUE REGEXP_REPLACE(ssn, '^.*(.{4})$', '***-**-$1'),
  KEY 'card' VALUE REGEXP_REPLACE(card, '^.*(.{4})$', 'xxxx-xxxx-xxxx-$1'),
  KEY 'age' VALUE age,
  KEY 'zip' VALUE CONCAT(SUBSTRING(zip, 1, 3), '**'),
  KEY 'purchaseAmount' VALUE purchaseAmount,
  KEY 'timestamp' VALUE `timestamp`) AS line
FROM events
