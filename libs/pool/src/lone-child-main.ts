/** What a spawned child runs where Node may keep it from every file but the one that it is started with: all of it in one. */
import './child-main.ts';
