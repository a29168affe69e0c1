-- The masking of the comparison by Flink's own functions; there is no HMAC among them, so the key stands in front of the value.
SELECT JSON_OBJECT(
  KEY 'customerId' VALUE SUBSTRING(SHA256(CONCAT('{key}', customerId)), 1, 32),
  KEY 'email' VALUE CONCAT(SUBSTRING(email, 1, 1), '***', SUBSTRING(email, POSITION('@' IN email))),
  KEY 'ssn' VALUE CONCAT('***-**-', RIGHT(ssn, 4)),
  KEY 'card' VALUE CONCAT('xxxx-xxxx-xxxx-', RIGHT(card, 4)),
  KEY 'age' VALUE age,
  KEY 'zip' VALUE CONCAT(SUBSTRING(zip, 1, 3), '**'),
  KEY 'purchaseAmount' VALUE purchaseAmount,
  KEY 'timestamp' VALUE `timestamp`) AS line
FROM events
