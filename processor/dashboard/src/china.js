// The provinces of China as shapes, and what draws them. They are as large as a good part of the page, so this is loaded when somebody wants
// the map. The boundaries are those of Apache ECharts 4.9 (Apache-2.0), as they are there: docs/getting-started.md says more.
import * as echarts from 'echarts/core';
import { MapChart } from 'echarts/charts';
import { GeoComponent } from 'echarts/components';
import china from 'echarts-4-maps/map/json/china.json';

echarts.use([MapChart, GeoComponent]);
echarts.registerMap('china', china);
