SELECT 'the values may stay: the trigger keeps them right';
