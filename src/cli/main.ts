#!/usr/bin/env node
import { runProcess } from './runProcess.js';

void runProcess();
